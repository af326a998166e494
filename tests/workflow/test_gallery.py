"""The gallery of the tiny project, used in a real Chromium: from a file and from a web server."""

import functools
import http.server
import json
import re
import threading
from pathlib import Path

import pandas as pd
import pytest

from .conftest import TINY

PAGES = ("report/gallery.html", "tables/table1.html", "tables/table2.html")
TITLE = TINY["variants"]["transposed"]["figure_title"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments) -> None:
        """Tests print nothing of their own."""


@pytest.fixture(scope="module", params=["file", "http"])
def address(request, project):
    """Where the results are: as files, or on a web server."""
    folder = project.results()
    if request.param == "file":
        yield folder.as_uri()
        return
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(chromium, address):
    """Open a page below the results; afterwards its console is empty and it has loaded nothing."""
    opened = []

    def open_page(path: str = "report/gallery.html", **settings):
        page = chromium.new_context(**settings).new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message) or dialog.dismiss())
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{address}/{path}")
        opened.append((page, complaints, requests))
        return page

    yield open_page
    for page, complaints, requests in opened:
        url = page.url.partition("#")[0]
        page.wait_for_timeout(100)
        page.context.close()
        assert complaints == []
        assert [one for one in requests if not one.startswith("data:")] == [url]


def choose(page, *names: str) -> None:
    page.get_by_role("button", name="None").click()
    for name in names:
        page.locator(f"#choices input[value={name}]").check()


def column(page, number: int) -> list[str]:
    return page.locator(f"#rows tr > :nth-child({number})").all_text_contents()


def test_one_chooses_variants_and_sees_them_before_and_after(visit):
    page = visit()
    assert page.locator("article[data-variant]").count() == 2
    choose(page, "transposed", "melgan")
    cards = page.locator("article[data-variant]")
    names = cards.evaluate_all("all => all.map(one => one.dataset.variant)")
    assert names == ["transposed", "melgan"]  # Trained ones first, as in the choice.
    assert page.locator("#shown").text_content() == "2 upsamplers on silence, seed 0."
    trained = page.locator("article[data-variant=transposed]")
    assert trained.locator("figure[data-stage] img").count() == 2
    for image in trained.locator("img").all():
        assert image.evaluate("image => image.complete && image.naturalHeight") == 256
        assert image.bounding_box()["height"] > 100
        assert "spectrogram" in image.get_attribute("alt").lower()
    untrained = page.locator("article[data-variant=melgan]")
    assert untrained.locator("figure[data-stage=initialised] img").count() == 1
    assert "Not trained" in untrained.locator("[data-stage=trained]").text_content()
    page.get_by_label("Probe signal").select_option("music")
    assert "music" in trained.locator("img").first.get_attribute("alt")
    assert "2 kHz" in page.locator("article.input").text_content()


def test_text_of_the_configuration_is_shown_not_run(visit):
    page = visit()
    choose(page, "transposed")
    card = page.locator("article[data-variant=transposed]")
    assert card.get_by_role("heading").text_content() == TITLE
    assert TINY["variants"]["transposed"]["table_label"] in card.text_content()
    assert page.locator("script").count() == 3
    assert page.locator("main b", has_text="50 %").count() == 0


def test_the_table_sorts_by_any_column_and_filters(visit, project):
    page = visit()
    artifacts = pd.read_csv(project.results("tables/artifacts.csv"))
    keys = ["variant", "seed", "probe", "measure", "frequency_hz"]
    count = len(artifacts[keys].drop_duplicates())
    assert page.locator("#counted").text_content() == f"{min(count, 50)} of {count} rows shown."
    page.locator("#by-measure").select_option("tone_prominence")
    page.locator("#by-probe").select_option("=silence")
    wanted = artifacts[(artifacts.measure == "tone_prominence") & (artifacts.probe == "silence")]
    before = wanted[wanted.stage == "initialised"]["value"]
    heads = page.locator("#heads th")
    head = heads.filter(has_text="Before training")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    shown = [float(text.replace("−", "-")) for text in column(page, 6) if text != "–"]
    assert shown == pytest.approx(sorted(before), abs=0.006)
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    again = [float(text.replace("−", "-")) for text in column(page, 6) if text != "–"]
    assert again == shown[::-1]
    for number in range(heads.count()):
        heads.nth(number).get_by_role("button").click()
        assert page.locator("#heads [aria-sort]").count() == 1
    page.get_by_label("Upsampler has").fill("SCRIPT>")
    assert set(column(page, 1)) == {TITLE}
    choose(page, "nearest")
    page.get_by_label("Upsampler has").fill("")
    page.get_by_label("only those chosen above").check()
    assert set(column(page, 1)) == {"nearest"}


def test_sounds_are_played(visit):
    page = visit()
    choose(page, "nearest")
    page.get_by_label("Probe signal").select_option("music")
    probe, excerpt = (page.locator(f"{where} audio").last for where in ("#cards", "#music"))
    for audio, seconds, tolerance in ((probe, 3, 0.01), (excerpt, 1, 0.01)):
        audio.focus()
        page.keyboard.press("Space")
        handle = audio.element_handle()
        page.wait_for_function("audio => audio.currentTime > 0.2", arg=handle, timeout=10_000)
        assert audio.evaluate("audio => audio.duration") == pytest.approx(seconds, abs=tolerance)
        assert audio.evaluate("audio => audio.error") is None
    assert probe.evaluate("audio => audio.paused")
    page.wait_for_function("audio => audio.ended", arg=excerpt.element_handle(), timeout=10_000)


def test_loudness_is_matched_or_as_it_is(visit):
    page = visit()
    choose(page, "nearest", "transposed")
    players = "all => all.map(one => [one.volume, Number(one.dataset.gain)])"
    matched = page.locator("#compare audio").evaluate_all(players)
    assert {volume for volume, _ in matched} == {1}
    page.get_by_label("as they are").check()
    own = page.locator("#compare audio").evaluate_all(players)
    lowest = min(gain for _, gain in own)
    for volume, gain in own:
        assert volume == pytest.approx(min(1, 10 ** ((lowest - gain) / 20)), rel=1e-6)


def test_everything_can_be_reached_and_used_by_keyboard(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    seen = []
    for _ in range(200):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "(one => [one.tagName, one.id || one.value || one.innerText, one.type,"
            " [one, one.closest('label') || one].some(it => getComputedStyle(it).outlineStyle"
            " !== 'none')])(document.activeElement)"
        )
        seen.append(focused)
        if focused[2] == "checkbox" and focused[1] == "melgan":
            page.keyboard.press("Space")
            assert page.locator("article[data-variant=melgan]").count() == 1
        if focused[1] == "probe":
            page.keyboard.press("ArrowDown")
            assert "music" in page.locator("#shown").text_content()
        if focused[0] == "BUTTON" and focused[1] == "Measure":
            page.keyboard.press("Enter")
            assert page.locator("#heads th[aria-sort=ascending]").text_content() == "Measure"
        if focused[0] == "BODY":
            break
    tags = [tag for tag, *_ in seen]
    for tag in ("BUTTON", "INPUT", "SELECT", "AUDIO", "SUMMARY", "DIV"):
        assert tag in tags, tag
    assert {"melgan", "probe", "seed", "track", "by-probe"} <= {name for _, name, *_ in seen}
    # Within a player the focus is on its parts, which the browser draws.
    bare = [one for one in seen if not one[3] and one[0] not in ("BODY", "AUDIO")]
    assert bare == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible(visit, path, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(path, color_scheme=scheme)
    for details in page.locator("details").all():
        details.evaluate("one => one.open = true")
    found = Axe().run(page)
    assert found.response["passes"]
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_a_phone_and_paper(visit, path):
    page = visit(path, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    # A4 less its margins: upright, or on its side, as the table asks for.
    width = 700 if "gallery" in path else 1040
    page.set_viewport_size({"width": width, "height": 740})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if "gallery" in path:
        assert not page.locator("#controls").is_visible()
        assert page.locator("article img").first.is_visible()


def gallery_data(path: Path) -> dict:
    """The data that the page's script reads."""
    text = path.read_text()
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])


def test_the_gallery_shows_every_variant_of_the_configuration(project):
    path = project.results("report/gallery.html")
    assert path.stat().st_size < 25e6
    data = gallery_data(path)
    assert [one["name"] for one in data["variants"]] == list(TINY["variants"])
    clips = data["clips"]
    assert set(clips["initialisation"]) == set(TINY["variants"])
    for name, variant in TINY["variants"].items():
        run = clips["runs"][name]["0"]
        assert set(run) == {"silence", "music"}
        stages = data["stages"] if variant.get("train", True) else data["stages"][:1]
        for by_stage in run.values():
            assert list(by_stage) == stages
            assert all(clip["picture"] and clip["sound"] for clip in by_stage.values())
    measured = {data["variants"][row[0]]["name"] for row in data["artifacts"]["rows"]}
    assert measured == set(TINY["variants"])
