"""The page of recordings: escaped, self-contained, accessible, and true to its numbers."""

import dataclasses
import html.parser
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from noted import assert_noted, described
from planted_combs import RATE, comb, noise, write

from upsampling.recordings.command import audit_recording
from upsampling.recordings.page import COLUMNS, _ticks, around_a_line, page, plots

NOTED = Path(__file__).with_name("noted")
NASTY = "<script>alert(1)</script>'\"&{{ 7*7 }}\n<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def audits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    loud = noise(8.0, rms=0.01) + comb(8.0, RATE / 256, -60)
    nasty = NASTY.replace("/", "\N{DIVISION SLASH}")
    return [
        audit_recording(write(folder / f"{nasty}.wav", loud)),
        audit_recording(write(folder / "noise.wav", noise(8.0))),
    ]


class Tags(html.parser.HTMLParser):
    """Names of all elements, and whether each is closed in order."""

    VOID = frozenset(("meta", "link", "line", "polyline"))

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_untrusted_text_never_acts_as_markup(audits):
    text = page(audits, [f"{NASTY}: no such file"])
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert not {"script", "img", "iframe", "object"} & set(tags.names)
    assert "&lt;script&gt;alert(1)" in text
    assert "{{ 7*7 }}" in text


def test_the_page_loads_nothing(audits):
    text = page(audits, [])
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    assert "default-src &#39;none&#39;" in text
    assert page(audits, []) == text


def test_the_page_has_each_files_verdict_table_and_plots(audits):
    text = page(audits, [])
    assert text.count("<section") == 2
    assert text.count("<table>") == 1
    assert text.count("<svg") == 3 + 2
    assert "172.266" in text
    assert "1 of 2 recordings has a comb" in text


def test_curves_keep_lines_and_marks_stand_on_them(audits):
    spectrum, residual, around = plots(audits[0])
    heights = np.array([float(p.split(",")[1]) for p in residual.points.split()])
    places = np.array([float(p.split(",")[0]) for p in residual.points.split()])
    assert len(heights) == COLUMNS
    assert len(spectrum.lines) == len(residual.lines) == 0  # 128 lines are too many to mark
    assert len(around.lines) == 1
    centre = np.array([float(p.split(",")[1]) for p in around.points.split()])
    assert abs(np.argmin(centre) - len(centre) // 2) <= 1
    assert np.all(np.diff(places) > 0)


def test_marks_are_round_numbers_in_their_places(audits):
    spectrum, residual, _ = plots(audits[0])
    left, right = (float(spectrum.points.split()[n].split(",")[0]) for n in (0, -1))
    for plot in (spectrum, residual):
        assert [mark.label for mark in plot.across] == ["0", "5", "10", "15", "20"]
        for mark in plot.across:
            place = left + (right - left) * 1000 * float(mark.label) / 22050
            assert mark.at == pytest.approx(place, abs=0.1)
    assert _ticks(0.0, 8.0) == [0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert _ticks(-9.0, 0.0) == [-8, -6, -4, -2, 0]
    assert _ticks(0.0, 100.0) == [0, 20, 40, 60, 80, 100]


@pytest.mark.parametrize("place", [0, 1])
def test_whole_plots_are_those_that_were_noted(audits, place):
    lines = []
    for plot in plots(audits[place]):
        data = dataclasses.asdict(plot)
        data["points"] = np.array([p.split(",") for p in plot.points.split()], dtype=float)
        lines += described(data)
    assert_noted(NOTED / f"plots {place}.txt", lines)


def test_around_a_line_is_the_mean_over_the_band():
    residual = np.zeros(4000)
    residual[1000:2000:100] = 3.0
    profile = around_a_line(residual, 1.0, 100.0, (1000.0, 2000.0))
    assert len(profile) == 101
    assert profile[50] == 3.0
    assert profile[:50].max() == profile[51:].max() == 0.0


def test_around_a_line_is_the_last_bin_beyond_the_spectrum():
    """Half a spacing above the last line of the band, which may end at the Nyquist frequency."""
    residual = np.zeros(2011)
    residual[-1] = 2.0
    profile = around_a_line(residual, 1.0, 100.0, (1900.0, 2100.0))
    assert profile.tolist() == [0.0] * 60 + [1.0] * 41


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_real_browser_finds_it_accessible_and_has_no_complaint(audits, tmp_path, scheme):
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no Chromium is on PATH (Debian: apt-get install chromium)")
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    path = tmp_path / "page.html"
    path.write_text(page(audits, [f"{NASTY}: no such file"]))
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        opened = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("dialog", lambda dialog: complaints.append("dialog") or dialog.dismiss())
        opened.goto(path.as_uri())
        results = Axe().run(opened)
        browser.close()
    assert results.violations_count == 0, results.generate_report()
    assert complaints == []
