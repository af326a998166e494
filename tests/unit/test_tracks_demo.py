"""The demo songs: exact mixtures, equal bytes for equal seeds, and sounds that are like music."""

import hashlib

import numpy as np
import pytest
from scipy import signal

from upsampling.demo_music import synthesis
from upsampling.demo_music.composition import bass_notes, compose, melody_notes
from upsampling.demo_music.songs import (
    PEAK,
    STEMS,
    demo_names,
    demo_validation_names,
    make_song,
    write_demo,
)
from upsampling.demo_music.styles import FEELS
from upsampling.demo_music.voice import VOWELS, formant_gain
from upsampling.errors import UserError
from upsampling.tracks.store import safe_file_name

SECONDS = 12
RATE = synthesis.SAMPLERATE
SHORT = (4.0, 4.5)


@pytest.fixture(scope="module")
def songs():
    """Three songs, int16 [song, 5, samples, 2]."""
    return np.stack([make_song(3, "train", index, SECONDS) for index in range(3)])


@pytest.fixture(scope="module")
def scores():
    """Ninety-six songs' plans, without sound."""
    return [
        compose(np.random.default_rng(number), 30.0, FEELS[number % len(FEELS)])
        for number in range(96)
    ]


def spectrum_share(sound, low, high):
    """Share of the energy of int16 [samples, 2] between two frequencies in Hz."""
    power = np.abs(np.fft.rfft(sound.astype(float), axis=0)) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE)
    return power[(frequencies >= low) & (frequencies < high)].sum() / power.sum()


def sounding_frames(sound, kernel_size=4096):
    """Mono frames [frames, length] of a stem that are not far below its loudest."""
    mono = sound.mean(axis=1)
    frames = mono[: len(mono) // length * length].reshape(-1, length)
    level = frames.std(axis=1)
    return frames[level > 0.2 * level.max()]


def files_by_hash(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*.wav"))
    }


def test_mixture_is_the_exact_sum_of_the_stems(songs):
    assert songs.shape == (3, 5, SECONDS * RATE, 2)
    assert songs.dtype == np.int16
    assert np.array_equal(songs[:, 0], songs[:, 1:].astype(np.int64).sum(axis=1))


def test_the_peak_uses_the_range_and_nothing_clips(songs):
    peaks = np.abs(songs.astype(int)).max(axis=(1, 2, 3))
    assert np.all(np.abs(peaks - PEAK * 32767) <= len(STEMS))


def test_no_source_is_silent_for_most_of_a_song(songs):
    frames = songs.reshape(3, 5, SECONDS, RATE * 2)
    silent = (frames == 0).all(axis=3).mean(axis=2)
    assert silent.max() < 0.5
    level = 20 * np.log10(np.sqrt((songs / 32768.0) ** 2).mean(axis=(2, 3)))
    assert level.min() > -45


def test_silent_parts_are_digital_zeros(songs):
    vocals = songs[:, 4, :RATE]
    assert not vocals.any()
    assert songs[:, 0, :RATE].any(axis=(1, 2)).all()


def test_every_source_rests_somewhere_and_plays_mostly(scores):
    for source in ("drums", "bass", "other", "vocals"):
        shares = np.array([len(song.rests[source]) / song.bars for song in scores])
        assert shares.max() < 0.5
        assert 0.02 < shares.mean() < 0.35


def test_songs_differ_in_tempo_key_and_chords(scores):
    assert len({round(song.tempo) for song in scores}) > 25
    assert len({song.tonic for song in scores}) == 12
    assert len({song.scale for song in scores}) == 4
    assert len({song.chords for song in scores}) > 30


def test_melodies_stay_in_key_and_bass_plays_roots(scores):
    for number, song in enumerate(scores):
        allowed = {song.pitch(degree) % 12 for degree in range(7)}
        tune = melody_notes(song, np.random.default_rng(number), 60)
        assert {note.pitch % 12 for note in tune} <= allowed
        bass = bass_notes(song, np.random.default_rng(number))
        rooted = [note.pitch % 12 == song.chord(int(note.start // 4))[0] for note in bass]
        assert np.mean(rooted) > 0.3
        assert min(note.pitch for note in bass) >= 26


def test_clock_swings_between_beats_but_not_on_them(scores):
    for song in scores[: len(FEELS)]:
        beats = np.arange(0, 8, 0.01)
        assert np.all(np.diff(song.clock(beats)) > 0)
        whole = np.arange(9.0)
        assert song.clock(whole) == pytest.approx(whole * 60 / song.tempo, abs=1e-12)
    swung = next(song for song in scores if song.feel.name == "shuffle")
    late = swung.clock(0.5) * swung.tempo / 60
    assert late == pytest.approx(0.5 + swung.feel.swing / 6, abs=1e-12)


def test_bass_is_low_and_drums_are_broadband(songs):
    for song in songs:
        assert spectrum_share(song[2], 0, 400) > 0.9
        assert spectrum_share(song[1], 0, 200) > 0.15
        assert spectrum_share(song[1], 2000, RATE / 2) > 0.01
        assert spectrum_share(song[1], 6000, RATE / 2) > 10 * spectrum_share(
            song[2], 6000, RATE / 2
        )


def test_vocals_are_harmonic_with_moving_formants(songs):
    for song in songs:
        frames = sounding_frames(song[4])
        power = np.abs(np.fft.rfft(frames * np.hanning(4096), 8192)) ** 2
        correlation = np.fft.irfft(power)
        lags = slice(RATE // 900, RATE // 80)
        periodic = correlation[:, lags].max(axis=1) / correlation[:, 0]
        assert np.median(periodic) > 0.5
        hertz = np.fft.rfftfreq(8192, 1 / RATE)
        low = power[:, (hertz > 250) & (hertz < 1000)].sum(axis=1)
        high = power[:, (hertz > 1600) & (hertz < 3000)].sum(axis=1)
        balance = 10 * np.log10(high / low)
        assert np.percentile(balance, 90) - np.percentile(balance, 10) > 8


def test_other_is_stereo_and_bass_is_in_the_middle(songs):
    for song in songs:
        assert np.array_equal(song[2][:, 0], song[2][:, 1])
        side = song[3].astype(float)
        assert np.corrcoef(side[:, 0], side[:, 1])[0, 1] < 0.95


def test_seed_and_index_decide_every_byte():
    first = make_song(5, "test", 1, 4.0)
    assert np.array_equal(first, make_song(5, "test", 1, 4.0))
    for other in ((6, "test", 1), (5, "train", 1), (5, "test", 2)):
        assert not np.array_equal(first, make_song(*other, 4.0))


def test_written_songs_do_not_depend_on_workers_or_on_what_was_there(tmp_path):
    write_demo(tmp_path / "a", 1, 1, 1, 1, *SHORT)
    write_demo(tmp_path / "b", 1, 1, 0, 2, *SHORT)
    before = files_by_hash(tmp_path / "a")
    assert len(before) == 15
    write_demo(tmp_path / "b", 1, 1, 1, 1, *SHORT, 2)
    assert files_by_hash(tmp_path / "b") == before
    names = {path.parent.name for path in (tmp_path / "a" / "train").rglob("mixture.wav")}
    assert set(demo_validation_names(1)) < names
    times = [path.stat().st_mtime_ns for path in sorted((tmp_path / "a").rglob("*.wav"))]
    write_demo(tmp_path / "a", 1, 1, 1, 1, *SHORT)
    assert times == [path.stat().st_mtime_ns for path in sorted((tmp_path / "a").rglob("*.wav"))]


def test_too_short_a_song_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"4\.0 s or more"):
        write_demo(tmp_path, 0, 1, 0, 1, 1.0, 20.0)


def test_names_are_unique_across_roles_and_safe():
    names = [name for role in ("train", "valid", "test") for name in demo_names(role, 300)]
    assert len({safe_file_name(name).lower() for name in names}) == 900
    assert all(name.count(" - ") == 1 and name.replace(" - ", "").replace(" ", "").isalpha()
               for name in names)  # fmt: skip


def test_harmonic_tone_is_the_sum_of_its_partials():
    samples = 4410
    amplitudes = np.array([1.0, 0.5, 0.0, 0.25])
    phases = np.array([0.3, -1.0, 0.0, 2.0])
    frequency = np.linspace(200.0, 260.0, samples)
    tone = synthesis.harmonic_tone(
        frequency, lambda times, partials: np.broadcast_to(amplitudes, partials.shape), phases
    )
    phase = 2 * np.pi * np.cumsum(frequency / RATE)
    expected = sum(
        a * np.cos((h + 1) * phase + p)
        for h, (a, p) in enumerate(zip(amplitudes, phases, strict=True))
    )
    # Linear interpolation in a table of 64 points errs by (2 pi h / 64)^2 / 8 per unit amplitude.
    assert np.abs(tone - expected).max() < 0.03


def test_harmonic_tone_has_no_partial_above_its_limit():
    frequency = np.full(RATE // 4, 3000.0)
    tone = synthesis.harmonic_tone(frequency, lambda t, f: np.ones_like(f), np.zeros(10))
    power = np.abs(np.fft.rfft(tone * np.hanning(len(tone)))) ** 2
    above = np.fft.rfftfreq(len(tone), 1 / RATE) > synthesis.HIGHEST_PARTIAL
    assert power[above].sum() / power.sum() < 1e-4


def test_formants_resonate_where_the_table_says():
    frequencies = np.arange(50.0, 1000.0, 1.0)[None]
    for vowel in VOWELS:
        gain = formant_gain(frequencies, vowel[None].astype(float), 1.0)[0]
        peaks = frequencies[0][signal.find_peaks(gain)[0]]
        assert np.abs(peaks - vowel[0]).min() < 40


def test_the_room_ends():
    click = np.zeros((2, RATE))
    click[:, 100] = 1
    wet = synthesis.room(click, np.random.default_rng(0), 0.3, 0.5)
    assert np.abs(wet[:, 101 : RATE // 5]).max() > 1e-3
    assert np.abs(wet[:, 100 + int(0.3 * RATE) + 1 :]).max() < 1e-6
