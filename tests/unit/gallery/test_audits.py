"""Cards of audits: verdicts of networks and of recordings, and links to their pages."""

import json

from upsampling.gallery.audits import audit_cards, verdict

NETWORK = {"verdict": "The network makes 3 lines."}
FOUND = {"found": True, "verdict": "A comb of 25 Hz."}
NONE = {"found": False, "verdict": "No comb found."}


def test_cards_have_titles_verdicts_and_links(tmp_path):
    (tmp_path / "vocoder.json").write_text(json.dumps(NETWORK))
    (tmp_path / "songs.json").write_text(json.dumps({"recordings": [NONE, FOUND, FOUND]}))
    audits = [{"name": "vocoder", "title": "<b>"}, {"name": "songs", "title": "Songs"}]
    cards = audit_cards(audits, f"{tmp_path}/{{audit}}.json", "../audits/{audit}/page.html")
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
    assert verdict({"recordings": [NONE]}) == "No comb found."


def test_a_repair_is_told():
    assert verdict(NETWORK | {"repair": {"summary": "Repaired."}}).endswith("lines. Repaired.")
