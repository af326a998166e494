"""Plans: the validation tracks that were named, and all mistakes at once."""

import numpy as np
import pytest
import soundfile
from noise_tracks import LENGTH, RATE, write_noise

from upsampling.errors import UserError
from upsampling.tracks.planning import check_plan, plan_tracks


def test_validation_tracks_are_those_named(tmp_path, raw):
    tracks = plan_tracks(tmp_path / "raw", True, "own", ["A - One & Two"])
    assert [(track.source.name, track.split) for track in tracks] == [
        ("A - One & Two", "valid"), ("B - Three", "test"),
    ]  # fmt: skip
    with pytest.raises(UserError, match="validation track 'B - Three' is not in"):
        plan_tracks(tmp_path / "raw", True, "own", ["B - Three"])
    assert [track.split for track in plan_tracks(tmp_path / "raw", True, "own", "musdb")] == [
        "train", "test",
    ]  # fmt: skip


def test_a_share_of_the_tracks_validates(tmp_path):
    root = tmp_path / "raw"
    for number in range(6):
        write_noise(root, "train", f"T{number}", number)
    write_noise(root, "test", "T9", 9)
    counts = [
        sum(track.split == "valid" for track in plan_tracks(root, True, "own", share))
        for share in (0.01, 0.5, 0.9)
    ]
    assert counts == [1, 3, 5]
    assert plan_tracks(root, True, "own", 0.5) == plan_tracks(root, True, "own", 0.5)


def test_all_mistakes_of_a_plan_are_listed_at_once(tmp_path):
    root = tmp_path / "raw"
    write_noise(root, "train", "A")
    write_noise(root, "train", "B")
    (root / "train" / "A" / "bass.wav").unlink()
    silence = np.zeros((LENGTH, 1))
    soundfile.write(root / "train" / "B" / "drums.wav", silence, RATE, subtype="PCM_16")
    with pytest.raises(UserError) as caught:
        check_plan(plan_tracks(root, True, "own", "musdb"), root)
    message = str(caught.value)
    assert message.startswith(f"4 mistakes in {root}:\n")
    for part in ("no track to validate on", "no track to test on", "bass.wav is missing",
                 "drums.wav has 1 channel; convert it to stereo"):  # fmt: skip
        assert part in message
