"""Clips hold the numbers of the files that they are read from."""

import base64
import io
import subprocess

import numpy as np
import pytest
import soundfile
from gallery_results import RATE, content, files_of, tone

from upsampling.errors import UserError
from upsampling.files import save_arrays
from upsampling.gallery import clips, pictures
from upsampling.gallery.media import Media
from upsampling.gallery.sound import TARGET_DBFS
from upsampling.measures.spectra import reference_magnitude, spectrogram

DB = 0.01


def test_a_probe_clip_holds_the_level_and_the_range(tmp_path):
    output = tone(11025, -40, seconds=3.0, constant=0.2)
    arrays = {"input": tone(440, -10, seconds=3.0), "output": output, "input_samplerate": RATE}
    save_arrays(tmp_path / "probe.npz", arrays)
    media = Media()
    clip = clips.probe_clip(media, tmp_path / "probe.npz", "output", -120.0, 2.0, 0)
    assert clip["level"] == pytest.approx(-40, abs=DB)
    assert clip["constant"] == pytest.approx(0.2, abs=1e-4)
    assert clip["gain"] == pytest.approx(TARGET_DBFS + 40, abs=DB)
    assert (clip["samplerate"], clip["seconds"], clip["floor"]) == (RATE, 2.0, -120.0)
    assert clip["relative"]
    assert clip["picture"] is None
    assert media.render(1e7, workers=1) == 0
    assert clip["picture"].startswith("data:image/png")
    assert clip["sound"].startswith("data:audio/flac")


def test_clips_are_of_every_variant_seed_probe_and_stage(files):
    found = clips.probe_clips(content(), files, Media())
    assert set(found["runs"]) == {"first", "second"}
    assert set(found["runs"]["first"]["0"]["silence"]) == {"initialised", "trained"}
    assert set(found["runs"]["second"]["0"]["silence"]) == {"initialised"}
    assert set(found["initialisation"]) == {"first", "second"}
    assert set(found["inputs"]) == {"silence", "initialisation"}
    silence = found["runs"]["first"]["0"]["silence"]
    assert silence["initialised"]["gain"] == pytest.approx(4, abs=0.1)
    assert silence["trained"]["silent"]
    assert not silence["trained"]["relative"]


def test_the_input_of_the_highest_sampling_rate_is_shown(tmp_path):
    for name, samplerate in (("a", 22050), ("b", 44100), ("c", 44100)):
        arrays = {"input": np.zeros(9000), "input_samplerate": samplerate}
        save_arrays(tmp_path / f"{name}.npz", arrays)
    input_files: dict = {}
    for name in "abc":
        clips.prefer(input_files, "silence", tmp_path / f"{name}.npz")
    assert input_files["silence"].name == "b.npz"


def test_excerpts_are_of_the_first_tracks_in_alphabetical_order(files):
    found = clips.excerpts(content(), files, Media())
    assert found["tracks"] == ["A_side"]
    assert found["sources"] == ["drums", "vocals"]
    assert set(found["mixtures"]) == {"A_side"}
    assert set(found["runs"]) == {"first"}
    both = clips.excerpts(content(tracks=5), files, Media())
    assert both["tracks"] == ["A_side", "B_side"]


def test_an_excerpt_has_the_length_that_is_asked_for(tmp_path):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (2 * RATE, 2))
    soundfile.write(tmp_path / "x.wav", samples, RATE, subtype="FLOAT")
    media = Media()
    clip = clips.excerpt(media, tmp_path / "x.wav", 0.5, 0)
    media.render(1e7, workers=1)
    coded = base64.b64decode(clip["sound"].partition(";base64,")[2])
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "wav", "-ar", str(RATE), "pipe:1"],
        input=coded, capture_output=True, check=True,
    )  # fmt: skip
    played, _ = soundfile.read(io.BytesIO(done.stdout))
    assert len(played) == pytest.approx(0.5 * RATE, abs=2)


def test_an_excerpt_of_more_channels_than_models_have_is_refused(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.full((RATE, 3), 0.1), RATE, subtype="FLOAT")
    with pytest.raises(UserError, match=r"x\.wav has content that does not fit: .*3 channels"):
        clips.excerpt(Media(), tmp_path / "x.wav", 0.5, 0)


def test_a_tracks_name_may_begin_with_that_of_another(tmp_path):
    for track in ("a_b", "a"):
        for source in ("mixture", "bass", "drums"):
            (tmp_path / f"{track}_{source}.wav").touch()
    (tmp_path / "white_noise_input.wav").touch()
    tracks = clips.track_files(str(tmp_path / "{track}_{source}.wav"))
    assert list(tracks.items()) == [("a", ["bass", "drums"]), ("a_b", ["bass", "drums"])]
    assert clips.track_files("") == {}


def test_nothing_is_separated_without_scored_variants(tmp_path):
    page = content()
    for variant in page["variants"]:
        variant["scored"] = False
    assert clips.excerpts(page, files_of(tmp_path), Media()) == {
        "tracks": [],
        "sources": [],
        "mixtures": {},
        "runs": {},
    }


def test_a_clip_is_no_longer_than_its_sound(tmp_path):
    """Of a sound of 1 s, which ends loud, 0.5 s and 2 s."""
    output = np.concatenate([tone(11025, -40, 0.5), tone(11025, -20, 0.5)])
    arrays = {"input": tone(440, -10, 1.0), "output": output, "input_samplerate": RATE}
    save_arrays(tmp_path / "probe.npz", arrays)
    for seconds, shown, level in ((0.5, 0.5, -40), (2.0, 1.0, -20 - 10 * np.log10(2 / 1.01))):
        media = Media()
        clip = clips.probe_clip(media, tmp_path / "probe.npz", "output", -120.0, seconds, 0)
        assert clip["seconds"] == shown
        assert clip["level"] == pytest.approx(level, abs=DB)
        media.render(1e7, workers=1)
        samples, _ = soundfile.read(io.BytesIO(base64.b64decode(clip["sound"].split(",")[1])))
        assert len(samples) == shown * RATE


def test_times_and_order_of_the_page():
    """2 s of the stationary noise, the inputs before all seeds, floors of figures."""
    assert (clips.INITIALISATION_SECONDS, clips.SHARED, clips.FLOOR) == (2.0, -1, -150.0)


def test_media_wait_in_the_order_of_seeds(files):
    media = Media()
    found = clips.probe_clips(content(), files, media)
    excerpts = clips.excerpts(content(), files, media)
    seeds = {id(entry.clip): entry.seed for entry in media.pending}
    assert {seeds[id(clip)] for clip in found["inputs"].values()} == {-1}
    assert {seeds[id(clip)] for clip in excerpts["mixtures"].values()} == {-1}
    assert {seeds[id(clip)] for clip in found["initialisation"].values()} == {0}
    assert seeds[id(found["runs"]["first"]["0"]["silence"]["trained"])] == 0
    assert seeds[id(excerpts["runs"]["first"]["0"]["A_side"]["drums"])] == 0
    assert found["inputs"]["silence"]["floor"] == -150
    assert found["inputs"]["silence"]["seconds"] == 1


@pytest.mark.parametrize("side", ["input", "output"])
def test_pictures_of_inputs_alone_have_centered_frames(tmp_path, side):
    """As in the paper: padding would add artifacts to outputs."""
    arrays = {"input": tone(440, -10, 1.0), "output": tone(11025, -40, 1.0)}
    save_arrays(tmp_path / "probe.npz", arrays | {"input_samplerate": RATE})
    media = Media()
    clip = clips.probe_clip(media, tmp_path / "probe.npz", side, -120.0, 1.0, 0)
    media.render(1e7, workers=1)
    zero = reference_magnitude(arrays["input"])
    shown = spectrogram(arrays[side], RATE, zero, center=side == "input")
    assert clip["picture"] == pictures.spectrogram_png(shown, -120.0, 1.0)


def test_an_excerpt_may_have_one_channel(tmp_path):
    soundfile.write(tmp_path / "x.wav", 0.1 * np.random.default_rng(0).normal(size=RATE), RATE)
    media = Media()
    clip = clips.excerpt(media, tmp_path / "x.wav", 0.5, 0)
    assert media.render(1e7, workers=1) == 0
    assert clip["sound"].startswith("data:audio/ogg")
