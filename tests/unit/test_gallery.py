"""What the gallery plays and shows is what was measured, and none of its text acts as markup."""

import base64
import io
import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

from upsampling.files import save_arrays, write_wav
from upsampling.gallery import clips, page, pictures, sound
from upsampling.gallery.glossary import MEASURES, PROBES, words_for
from upsampling.measures.from_waveform import tone_level
from upsampling.measures.spectra import mean_spectrum, spectrogram
from upsampling.probes.signals import SIGNALS

RATE = 44100
DB = 0.01
NASTY = "<script>alert(1)</script> \"quoted\" 'too' </title> {{ 7*7 }} & co"


def tone(frequency: float, level: float, seconds: float = 2.0, constant: float = 0.0):
    """A sine of RMS `level` in dBFS on a constant."""
    time = np.arange(round(seconds * RATE)) / RATE
    return constant + 10 ** (level / 20) * np.sqrt(2) * np.sin(2 * np.pi * frequency * time + 0.3)


def decode(uri: str) -> bytes:
    return base64.b64decode(uri.partition(";base64,")[2])


def rms_level(samples) -> float:
    return 10 * np.log10(np.mean(np.square(samples)))


def test_sounds_are_played_at_one_level_without_their_constant_part():
    for level, constant in ((-60.0, 0.2), (-8.0, 0.0), (-35.0, -0.5)):
        heard, loudness = sound.match_level(tone(11025, level, constant=constant))
        assert loudness.level == pytest.approx(level, abs=DB)
        assert loudness.constant == pytest.approx(constant, abs=1e-4)
        assert loudness.gain == pytest.approx(sound.TARGET_DBFS - level, abs=DB)
        assert rms_level(heard) == pytest.approx(sound.TARGET_DBFS, abs=DB)
        assert not loudness.silent


def test_peaks_limit_the_gain():
    click = np.zeros(RATE)
    click[1000] = 0.5
    heard, loudness = sound.match_level(click)
    assert rms_level(heard) < sound.TARGET_DBFS - 10
    assert np.abs(heard).max() == pytest.approx(sound.PEAK)
    assert loudness.gain == pytest.approx(20 * np.log10(sound.PEAK / 0.5), abs=DB)


def test_a_silent_output_stays_what_it_is():
    heard, loudness = sound.match_level(np.full(RATE, 0.25))
    assert not heard.any()
    assert (loudness.level, loudness.gain, loudness.silent) == (-200.0, 0.0, True)
    faint = tone(11025, sound.AUDIBLE_DBFS - 3)
    heard, loudness = sound.match_level(faint)
    assert loudness.silent
    np.testing.assert_allclose(heard, faint, atol=1e-9)


@pytest.mark.parametrize("frequency", [2756.25, 11025.0, 16537.5])
def test_probes_keep_their_tones_to_a_hundredth_of_a_decibel(frequency):
    rng = np.random.default_rng([0, round(frequency)])
    samples = tone(frequency, -60) + 10 ** (-40 / 20) * rng.standard_normal(2 * RATE)
    heard, loudness = sound.match_level(samples)
    played, rate = soundfile.read(io.BytesIO(decode(sound.flac(heard, RATE))))
    assert rate == RATE
    assert np.abs(played - heard).max() <= 2**-15
    levels = [tone_level(mean_spectrum(s, RATE)[1], frequency, RATE) for s in (samples, played)]
    assert levels[1] - levels[0] == pytest.approx(loudness.gain, abs=DB)


def test_excerpts_keep_their_length_their_level_and_their_tones():
    rng = np.random.default_rng(0)
    music = 10 ** (-30 / 20) * rng.standard_normal((2 * RATE, 2)).cumsum(axis=0) / 30
    music += tone(11025, -45)[:, None]
    coded = decode(sound.opus(music, RATE))
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", "pipe:0", "-f", "f32le", "-ar", str(RATE), "pipe:1"],
        input=coded,
        capture_output=True,
        check=True,
    )
    played = np.frombuffer(done.stdout, "<f4").reshape(-1, 2)
    assert len(played) == pytest.approx(len(music), abs=2)
    left = [tone_level(mean_spectrum(s[:, 0], RATE)[1], 11025, RATE) for s in (music, played)]
    assert left[1] == pytest.approx(left[0], abs=0.5)
    assert (
        sound.opus(music, RATE).encode()
        == f"data:audio/ogg;base64,{base64.b64encode(coded).decode()}".encode()
    )


def test_a_picture_holds_the_spectrogram_in_64_steps_and_its_tone():
    shown = spectrogram(tone(11025, -20, seconds=1.0), RATE, 512.0)
    uri = pictures.spectrogram_png(shown, -150.0, 2.0)
    image = Image.open(io.BytesIO(decode(uri)))
    assert image.mode == "P"
    steps = np.asarray(image)
    height, width = steps.shape
    assert (height, width) == (256, int(2 * RATE / 512))
    frames = len(shown.times)
    assert (steps[:, frames:] == pictures.LEVELS).all()
    assert image.info["transparency"] == pictures.LEVELS
    row = int(np.argmax(steps[:, frames // 2]))
    assert (height - 1 - row) / height * RATE / 2 == pytest.approx(11025, abs=100)
    assert uri == pictures.spectrogram_png(shown, -150.0, 2.0)


def test_mean_curves_keep_tones_of_one_bin():
    curve = pictures.mean_curve(tone(11025, -40), RATE)
    assert len(curve) == pictures.BANDS
    assert max(curve) == pytest.approx(-43, abs=1)  # Half of its power is at -11025 Hz.
    assert abs(int(np.argmax(curve)) - pictures.BANDS / 2) <= 1


def test_media_without_room_are_left_out_in_order():
    media = clips.Media()
    takes = [{}, {}, {}]
    for seed, kind, take in ((1, 0, takes[0]), (0, 2, takes[1]), (0, 0, takes[2])):
        media.want(seed, kind, take, "sound", lambda: "x" * 40)
    assert media.fill(100, workers=2) == 1
    assert [take["sound"] is None for take in takes] == [True, False, False]


def test_every_probe_has_words_and_unknown_names_explain_themselves():
    assert set(SIGNALS) <= set(PROBES)
    assert words_for("group_delay", MEASURES).title == "Group delay"
    assert words_for("", PROBES).title == "None"


def variant(name: str, trained: bool, title: str = "") -> dict:
    return {
        "name": name,
        "title": title or name,
        "label": title or name,
        "operator": "transposed",
        "options": {"kernel_size": 8},
        "trained": trained,
        "width": 4,
        "stride": 4,
        "floor": -150.0,
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """results/{scale} of one trained and one other variant."""
    folder = tmp_path_factory.mktemp("results")
    noise = np.random.default_rng(0).uniform(-1, 1, RATE)
    arrays = {"input": noise, "output": noise / 8, "input_samplerate": RATE}
    for name in ("first", "second"):
        save_arrays(folder / "initialisation" / f"{name}.npz", arrays)
    silent = {"input": 0 * noise, "input_samplerate": RATE}
    outputs = {"initialised": tone(11025, -30, 1.0), "trained": 0 * noise}
    for stage, output in outputs.items():
        path = folder / "probes" / "first" / "seed0" / f"silence_{stage}.npz"
        save_arrays(path, silent | {"output": output})
    path = folder / "probes" / "second" / "seed0" / "silence_initialised.npz"
    save_arrays(path, silent | {"output": outputs["initialised"]})
    for track in ("B_side", "A_side"):
        for source in ("mixture", "drums", "vocals"):
            path = folder / "audio" / "first" / "seed0" / f"{track}_{source}.wav"
            write_wav(path, np.stack([noise, noise], 1) / 4, RATE)
    (folder / "tables").mkdir()
    rows = [
        ("first", 0, "initialised", "silence", "level", None, -30.0, "dBFS"),
        ("first", 0, "trained", "silence", "level", None, -200.0, "dBFS"),
        ("first", 0, "initialised", "silence", "some_new_one", 11025.0, 1.23456789, "dB"),
        ("second", 3, "initialised", None, "imbalance", None, 0.5, None),
        ("gone", 0, "trained", "silence", "level", None, -1.0, "dBFS"),
    ]
    columns = ["variant", "seed", "stage", "probe", "measure", "frequency_hz", "value", "unit"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "tables" / "artifacts.csv", index=False)
    table = pd.DataFrame(
        [("first", 3.25, None, 1234), (None, 5.3, None, None)],
        columns=["variant", "sdr", "sdr_spread", "parameters"],
    )
    table.to_csv(folder / "tables" / "table1.csv", index=False)
    return folder


def spec(**changes) -> dict:
    settings = {"probe_seconds": 1, "tracks": 1, "excerpt_seconds": 0.5, "megabytes": 24}
    return {
        "scale": "demo",
        "data_set": "synthetic <songs>",
        "real_data": False,
        "epochs": 1,
        "channels": 12,
        "settings": settings | changes,
        "seeds": [0],
        "signals": ["silence"],
        "initialisation_signal": "white_noise",
        "variants": [variant("first", True, NASTY), variant("second", False)],
    }


def page_data(text: str) -> dict:
    """The data that the page's script reads."""
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])


def test_a_page_has_every_variant_with_what_was_made_for_it(results):
    text, left_out = page.gallery(spec(), results)
    data = page_data(text)
    assert left_out == 0
    takes = data["takes"]
    assert set(takes["runs"]) == {"first", "second"}
    assert set(takes["runs"]["second"]["0"]["silence"]) == {"initialised"}
    assert set(takes["initialisation"]) == {"first", "second"}
    silence = takes["runs"]["first"]["0"]["silence"]
    assert silence["initialised"]["gain"] == pytest.approx(4, abs=0.1)
    assert silence["trained"]["silent"]
    assert not silence["trained"]["relative"]
    for take in (*silence.values(), *takes["inputs"].values(), *takes["initialisation"].values()):
        assert take["picture"].startswith("data:image/png;base64,")
        assert take["sound"]
    for stage in silence.values():
        assert stage["sound"].startswith("data:audio/flac;base64,")
    for take in takes["initialisation"].values():
        assert take["sound"].startswith("data:audio/ogg;base64,")
    assert data["excerpts"]["tracks"] == ["A_side"]
    assert data["excerpts"]["sources"] == ["drums", "vocals"]
    excerpt = data["excerpts"]["runs"]["first"]["0"]["A_side"]["drums"]
    assert excerpt["sound"].startswith("data:audio/ogg;base64,")
    assert data["scores"] == {"first": {"sdr": 3.25, "sdr_spread": None, "parameters": 1234}}
    assert data["variants"][0]["tones"] == [11025, 22050]


def test_rows_join_both_stages_and_keep_what_nobody_has_heard_of(results):
    rows = clips.artifact_rows(results / "tables" / "artifacts.csv", ["first", "second"])
    assert rows["rows"] == [
        [0, 0, 0, 0, None, -30.0, -200.0],
        [0, 0, 0, 1, 11025.0, 1.2346, None],
        [1, 3, 1, 2, None, 0.5, None],
    ]
    assert [measure["unit"] for measure in rows["measures"]] == ["dBFS", "dB", ""]
    assert rows["measures"][1]["title"] == "Some new one"


def test_text_of_the_configuration_never_acts_as_markup(results):
    text, _ = page.gallery(spec(), results)
    assert page_data(text)["variants"][0]["title"] == NASTY
    assert "<script>alert" not in text
    assert "</title> " not in text
    assert "<songs>" not in text
    assert "synthetic &lt;songs&gt;" in text


def test_only_the_pages_own_script_and_style_may_run(results):
    text, _ = page.gallery(spec(), results)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe" not in policy
    assert not re.search(
        r"""\s(style|on\w+)=|(src|href)="(?!#|data:)""", text.split('id="data"')[0]
    )


def test_equal_results_give_equal_bytes(results):
    assert page.gallery(spec(), results) == page.gallery(spec(), results, workers=3)


def test_a_page_of_few_megabytes_leaves_sounds_out_and_says_so(results):
    text, left_out = page.gallery(spec(megabytes=0.12), results)
    assert left_out > 0
    assert len(text) < 0.12e6 + 60_000
    assert f"{left_out} pictures and sounds are not on this page" in text
    data = page_data(text)
    assert data["takes"]["inputs"]["silence"]["picture"]
    assert data["excerpts"]["runs"]["first"]["0"]["A_side"]["vocals"]["sound"] is None
