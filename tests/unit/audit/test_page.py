"""The page: whole, escaped, the same for the same report, and true to its numbers."""

import base64
import html
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from audited_networks import hifi_gan, seeded, under_audit
from torch import nn

from upsampling.audit.audit import audit, respond_to_constants
from upsampling.audit.page import page, plot, sound, title
from upsampling.audit.probing import AuditSettings


@pytest.fixture(scope="module")
def audited():
    _, structure = under_audit(seeded(lambda: hifi_gan((4, 5))), 6)
    responses = respond_to_constants(structure)
    report = audit(structure, responses, settings=AuditSettings(seconds=1.0))
    return report, responses.silence.period


class Tags(HTMLParser):
    """Counts tags, and collects files that would be loaded from elsewhere."""

    VOID = frozenset({"meta", "link"})

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "href") and not value.startswith(("data:", "#")):
                self.links.append(value)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    return tags


def test_a_page_is_whole_and_loads_nothing(audited):
    text = page(*audited)
    tags = parsed(text)
    assert tags.links == []
    assert "script" not in tags.tags
    assert audited[0]["verdict"] in text.replace("\n", " ")
    assert page(*audited) == text
    assert "default-src 'none'" in html.unescape(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("runs/nearest/seed0", "nearest/seed0"), ("a/b/net.onnx", "net.onnx"), ("net", "net")],
)
def test_the_title_is_the_file_or_the_folders_of_a_model(audited, path, expected):
    report, silence = audited
    assert title(path) == expected
    assert f"<title>Audit of {expected}</title>" in page({**report, "network": path}, silence)


def test_text_of_the_network_is_shown_not_run(audited):
    name = audited[0]["layers"][0]["name"]
    text = json.dumps(audited[0]).replace(f'"{name}"', '"<img src=x onerror=alert(1)>"')
    report = json.loads(text)
    report["network"] = "<script>alert(1)</script>.onnx"
    report["notes"] = ["<b>bold</b>"]
    tags = parsed(page(report, audited[1]))
    assert not {"script", "img", "b"} & {*tags.tags}


def test_stems_stand_where_their_lines_are(audited):
    report, _ = audited
    drawn = plot(report)
    assert len(drawn["stems"]) + drawn["left_out"] == len(report["silence"]["lines"])
    places = {stem["x"]: stem for stem in drawn["stems"]}
    heights = []
    for line in report["silence"]["lines"]:
        x = round(drawn["left"] + 836 * line["frequency_hz"] / 22050, 2)
        if x in places:
            heights.append((line["level_dbfs"], places[x]["y"]))
            style = places[x]["style"]
            layers = [one["name"] for one in report["layers"]]
            expected = "several" if len(line["layers"]) > 1 else "nobody"
            if len(line["layers"]) == 1:
                expected = f"c{layers.index(line['layers'][0])}"
            assert style == expected
    assert len(heights) == len(drawn["stems"])
    # From 24 at the top to 268 at the bottom, ten decibels apart.
    highest = float(drawn["levels"][0]["text"].replace("\N{MINUS SIGN}", "-"))
    lowest = drawn["lowest"]
    for level, y in heights:
        assert y == round(268 - 244 * (level - lowest) / (highest - lowest), 2)
    order = [y for _, y in sorted(heights)]
    assert order == sorted(order, reverse=True)


def test_places_have_two_decimals():
    lines = [
        {"frequency_hz": 8000 / 3, "level_dbfs": level, "layers": ["up"]}
        for level in (-30, -61 / 3)
    ]
    stems = plot({"silence": {"lines": lines}, "layers": [{"name": "up"}], "samplerate": 16000})
    # A third of 836 from 52 on; 10 dB above -30, and a third of 3 tenths more.
    assert [(one["x"], one["y"]) for one in stems["stems"]] == [(330.67, 268.0), (330.67, 32.13)]


def test_the_sound_is_the_silent_response(audited):
    report, period = audited
    made = sound(period, report["samplerate"])
    content = base64.b64decode(made["uri"].partition(",")[2])
    samples, rate = soundfile.read(io.BytesIO(content))
    assert rate == report["samplerate"]
    assert len(samples) == 2 * rate
    expected = np.resize(period[0] - period[0].mean(), len(samples)) * 10 ** (made["gain"] / 20)
    assert samples == pytest.approx(expected, abs=2**-15)
    # A full-scale sine has -3 dBFS; its samples would be above 1 at a level of -2.
    assert 20 * np.log10(samples.std()) == pytest.approx(-26, abs=0.01)
    assert sound(np.full((1, 20), 0.3), 44100) is None
    assert sound(1e-9 * period, 44100) is None


def test_a_silent_network_has_a_page_without_a_plot():
    module = nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv1d(2, 1, 3))
    _, structure = under_audit(module, 2)
    responses = respond_to_constants(structure)
    report = audit(structure, responses, settings=AuditSettings(seconds=1.0))
    text = page(report, responses.silence.period)
    parsed(text)
    assert "no line above its rounding" in re.sub(r"\s+", " ", text)
    assert "<audio" not in text
    assert "Nothing needs to be done" in text


def test_a_network_without_layers_has_a_page():
    _, structure = under_audit(nn.Sequential(nn.Conv1d(2, 1, 3)), 2)
    responses = respond_to_constants(structure)
    report = audit(structure, responses)
    text = page(report, responses.silence.period)
    parsed(text)
    assert "No layer was found" in text
    assert report["combs"] == []
