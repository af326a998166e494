"""The page shows what was measured, and none of its text acts as markup."""

import base64
import json
import re
from dataclasses import replace

import pytest
from gallery_results import NASTY, content

from upsampling.errors import UserError
from upsampling.files import write_content
from upsampling.gallery import page


def page_data(text: str) -> dict:
    """The data that the page's script reads."""
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def text(files) -> str:
    text, left_out = page.gallery(content(), files)
    assert left_out == 0
    return text


def test_a_page_has_every_variant_with_its_media(text):
    data = page_data(text)
    clips = data["clips"]
    silence = clips["runs"]["first"]["0"]["silence"]
    for clip in (*silence.values(), *clips["inputs"].values(), *clips["initialisation"].values()):
        assert clip["picture"].startswith("data:image/png;base64,")
        assert clip["sound"]
    for clip in silence.values():
        assert clip["sound"].startswith("data:audio/flac;base64,")
    for clip in clips["initialisation"].values():
        assert clip["sound"].startswith("data:audio/ogg;base64,")
    excerpt = data["excerpts"]["runs"]["first"]["0"]["A_side"]["drums"]
    assert excerpt["sound"].startswith("data:audio/ogg;base64,")
    assert data["scores"] == {"first": {"sdr": 3.25, "sdr_spread": None, "parameters": 1234}}
    assert [variant["tones"] for variant in data["variants"]] == [[11025, 22050], []]
    assert len(data["artifacts"]["rows"]) == 5


def test_the_figure_of_artifacts_through_training_is_shown_if_there_is_one(text, files, tmp_path):
    assert "Artifacts through training" not in text
    (tmp_path / "figure.png").write_bytes(b"\x89PNG picture")
    training = replace(files, training=tmp_path / "figure.png")
    shown, left_out = page.gallery(content(), training)
    assert left_out == 0
    picture = base64.b64encode(b"\x89PNG picture").decode()
    assert f'<img src="data:image/png;base64,{picture}" alt="Curves over epochs' in shown
    assert page_data(shown) == page_data(text)
    write_content(training.training, b"\x89PNG picture", checksum=True)
    training.training.write_bytes(b"\x89PNG Picture")
    with pytest.raises(UserError, match=r"figure\.png is not as it was written"):
        page.gallery(content(), training)


def test_text_of_the_configuration_never_acts_as_markup(text):
    assert page_data(text)["variants"][0]["title"] == NASTY
    assert "<script>alert" not in text
    assert "</title> " not in text
    assert "<songs>" not in text
    assert "synthetic &lt;songs&gt;" in text


def test_only_the_pages_script_and_style_may_run(text):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe" not in policy
    assert not re.search(
        r"""\s(style|on\w+)=|(src|href)="(?!#|data:)""", text.split('id="data"')[0]
    )


def test_equal_results_give_equal_bytes(text, files):
    assert page.gallery(content(), files, workers=3) == (text, 0)


def test_a_page_of_few_megabytes_leaves_sounds_out_and_says_so(files):
    text, left_out = page.gallery(content(megabytes=0.12), files)
    assert left_out > 0
    assert len(text) < 0.12e6 + 60_000
    assert f"{left_out} pictures and sounds are not on this page" in text
    data = page_data(text)
    assert data["clips"]["inputs"]["silence"]["picture"]
    assert data["excerpts"]["runs"]["first"]["0"]["A_side"]["vocals"]["sound"] is None


def media_of(clips: dict) -> list[dict]:
    """All clips of a page's data, which have a sound."""
    if "sound" in clips:
        return [clips]
    return [clip for part in clips.values() if isinstance(part, dict) for clip in media_of(part)]


def test_a_page_takes_as_many_characters_as_its_megabytes(files, tmp_path):
    """Of 10^6 characters each: the data's own, those of the figure, and those of all media."""
    (tmp_path / "figure.png").write_bytes(b"\x89PNG picture")
    training = replace(files, training=tmp_path / "figure.png")
    shown, _ = page.gallery(content(), training)
    data = page_data(shown)
    characters = len("data:image/png;base64,") + len(base64.b64encode(b"\x89PNG picture"))
    for clip in [*media_of(data["clips"]), *media_of(data["excerpts"])]:
        for key in {"picture", "sound"} & clip.keys():
            characters += len(clip[key])
            clip[key] = None
    characters += len(json.dumps(data))
    for room, left_out in ((characters + 0.5, 0), (characters - 0.5, 1)):
        assert page.gallery(content(megabytes=room / 1e6), training)[1] == left_out


NETWORK = {"verdict": "The network makes 3 lines."}
FOUND = {"found": True, "verdict": "A comb of 25 Hz."}
NONE = {"found": False, "verdict": "No comb found."}


def test_cards_have_titles_verdicts_and_links(tmp_path):
    (tmp_path / "vocoder.json").write_text(json.dumps(NETWORK))
    (tmp_path / "songs.json").write_text(json.dumps({"recordings": [NONE, FOUND, FOUND]}))
    audits = [{"name": "vocoder", "title": "<b>"}, {"name": "songs", "title": "Songs"}]
    cards = page.audit_cards(audits, f"{tmp_path}/{{audit}}.json", "../audits/{audit}/page.html")
    assert cards == [
        {
            "title": "<b>",
            "verdict": "The network makes 3 lines.",
            "link": "../audits/vocoder/page.html",
        },
        {
            "title": "Songs",
            "verdict": "2 of 3 recordings have a comb that stands out.",
            "link": "../audits/songs/page.html",
        },
    ]


def test_one_recording_has_its_own_verdict():
    assert page.verdict({"recordings": [NONE]}) == "No comb found."


def test_a_repair_is_told():
    assert page.verdict(NETWORK | {"repair": {"summary": "Repaired."}}).endswith("lines. Repaired.")
