"""The page of an audit in a real Chromium: no console message, no request, accessible, playable."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NETWORKS = """
from torch import nn
from audited_networks import AntiAliased, hifi_gan, seeded

def tonal():
    return seeded(lambda: hifi_gan((4, 5)))

def doubled():
    return seeded(AntiAliased)

def plain():
    return nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv1d(2, 1, 3))
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages of three networks: with a repair, with undone layers, and without a line."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "nets.py").write_text(NETWORKS)
    paths = f"{ROOT / 'scripts'}:{ROOT / 'tests' / 'support'}"
    for name in ("tonal", "doubled", "plain"):
        repair = ["--repair", str(folder / "w.safetensors")] if name == "tonal" else []
        page = ["--html", str(folder / f"{name}.html")]
        program = [sys.executable, str(ROOT / "scripts" / "audit.py"), "network"]
        subprocess.run(
            [*program, f"{folder}/nets.py:{name}", "--samplerate", "24000", *page, *repair],
            env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
            check=True,
            capture_output=True,
        )
    return folder


@pytest.fixture
def visit(chromium, pages):
    """Open a page; afterwards its console is empty and it has loaded nothing."""
    opened = []

    def open_page(name: str, **settings):
        page = chromium.new_context(**settings).new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto((pages / f"{name}.html").as_uri())
        opened.append((page, complaints, requests))
        return page

    yield open_page
    for page, complaints, requests in opened:
        url = page.url.partition("#")[0]
        page.context.close()
        assert complaints == []
        assert [one for one in requests if not one.startswith("data:")] == [url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["tonal", "doubled", "plain"])
def test_pages_are_accessible(visit, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(name, color_scheme=scheme)
    for details in page.locator("details").all():
        details.evaluate("one => one.open = true")
    found = Axe().run(page)
    assert found.response["passes"]
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", ["tonal", "doubled", "plain"])
def test_pages_fit_a_phone_and_paper(visit, name):
    page = visit(name, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 700, "height": 740})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert not page.locator("nav").is_visible()


def test_the_silent_response_is_seen_and_played(visit):
    page = visit("tonal")
    image = page.get_by_role("img")
    assert "Spectrum of the response to silence: 10 lines" in image.get_attribute("aria-label")
    assert image.bounding_box()["height"] > 200
    assert image.locator("g").count() == 10
    audio = page.locator("audio")
    audio.evaluate("one => one.play()")
    page.wait_for_function(
        "one => one.currentTime > 0.2", arg=audio.element_handle(), timeout=10_000
    )
    assert audio.evaluate("one => one.duration") == pytest.approx(2, abs=0.01)
    assert audio.evaluate("one => one.error") is None


def test_links_of_the_page_lead_to_its_sections(visit):
    page = visit("tonal")
    for link in page.locator("nav a").all():
        assert page.locator(link.get_attribute("href")).count() == 1
    titles = page.locator("h2").all_text_contents()
    assert {"Found", "Repair", "What to do"} <= {*titles}
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "A"


def test_layers_without_an_effect_are_told_apart(visit):
    page = visit("doubled")
    details = page.locator("#layers details")
    assert "1 layers" not in details.locator("summary").text_content()
    details.locator("summary").click()
    assert "raised (stride 2)" in details.text_content()
