"""A singing voice: glottal pulses through formants that move between vowels, and consonants."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from upsampling.demo_music.composition import Line, Song, melody_notes
from upsampling.demo_music.synthesis import (
    CONTROL_RATE,
    SAMPLERATE,
    add,
    harmonic_tone,
    hertz,
    noise,
    room,
)

# Hz, averages for adult male voices; the two highest resonances hardly depend on the vowel.
VOWELS = np.array(
    [
        (730, 1090, 2440, 3300, 4200),
        (530, 1840, 2480, 3400, 4200),
        (300, 2290, 3010, 3500, 4200),
        (570, 840, 2410, 3300, 4200),
        (320, 870, 2240, 3300, 4200),
    ]
)
NASAL = np.array((260, 1100, 2200, 3200, 4200))
BANDWIDTHS = np.array((80, 100, 130, 170, 220))
# Noise of a consonant: band in Hz, length in s, level, and the silence before it in s.
CONSONANTS = {
    "s": ((4500, 11000), 0.09, 0.30, 0.02),
    "sh": ((2200, 6500), 0.08, 0.28, 0.02),
    "t": ((3000, 9000), 0.022, 0.5, 0.05),
    "k": ((1300, 4500), 0.028, 0.5, 0.06),
    "h": ((700, 5000), 0.07, 0.12, 0.0),
}
SOUNDS = ("s", "sh", "t", "k", "h", "nasal", "nasal", "none", "none")


def smooth(track: np.ndarray, seconds: float) -> np.ndarray:
    """Gaussian smoothing of a control track [rows, ...] with standard deviation `seconds`."""
    return gaussian_filter1d(track, seconds * CONTROL_RATE, axis=0, mode="nearest", truncate=3.5)


def formant_gain(partials: np.ndarray, formants: np.ndarray, scale: float) -> np.ndarray:
    """Magnitude [K, H] of five cascaded resonances `formants` [K, 5] at `partials` [K, H] Hz."""
    gain = np.ones_like(partials)
    for number, width in enumerate(BANDWIDTHS):
        center = formants[:, number, None] * scale
        gain *= center**2 / np.hypot(center**2 - partials**2, width * partials)
    return gain


def play_vocals(song: Song, rng: np.random.Generator, samples: int) -> np.ndarray:
    """The lead voice [2, samples]; in choruses a second one, a third above, to both sides."""
    high = bool(rng.random() < 0.5)
    notes = melody_notes(song, rng, center=63 if high else 54)
    track = np.zeros((2, samples), np.float32)
    if not notes:
        return track
    line = song.line(notes)
    scale = 1.17 if high else 1.0
    singing = np.random.default_rng(rng.integers(2**63))
    add(track, sing(line, scale, singing, samples), 0.0)
    chorus = [song.sections[int(n.start // 4)] == "chorus" for n in notes]
    if any(chorus):
        allowed = [song.pitch(degree) for degree in range(-21, 21)]
        thirds = np.array([allowed[allowed.index(int(p)) + 2] for p in line.pitches], float)
        above = Line(line.starts, line.ends, thirds, 0.35 * line.velocities)
        second = sing(Line(*(a[chorus] for a in above)), scale * 1.05, singing, samples)
        add(track, second, 0.012, -0.7)
        add(track, second, 0.021, 0.7)
    return room(track, rng, 0.4, 0.16)


def control_tracks(
    line: Line, rng: np.random.Generator, rows: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pitch [rows] in semitones, loudness [rows], formants [rows, 5] in Hz, breath noise [samples].

    Pitch glides between notes and rises into the first one of a phrase; long notes have vibrato.
    """
    starts, ends, pitches, velocities = line
    time = np.arange(rows) / CONTROL_RATE
    current, age = line.latest(time)
    age = np.maximum(age, 0)
    rested = np.concatenate([[True], starts[1:] - ends[:-1] > 0.15])
    rate = rng.normal(5.4, 0.3) + 0.3 * smooth(rng.normal(size=rows), 0.2)
    wave = np.sin(2 * np.pi * np.cumsum(rate) / CONTROL_RATE)
    vibrato = 0.32 * np.clip((age - 0.22) / 0.3, 0, 1) * wave
    drift = smooth(rng.normal(size=rows), 0.12) * 0.35
    scoop = -1.6 * rested[current] * np.exp(-age / 0.06)
    pitch = smooth(pitches[current], 0.022) + vibrato + drift + scoop

    sounding = (time >= starts[current]) & (time < ends[current])
    swell = 0.8 + 0.2 * np.clip(age / 0.15, 0, 1)
    loudness = sounding * velocities[current] * swell
    vowels = VOWELS[rng.integers(len(VOWELS), size=len(starts))]
    formants = vowels[current].astype(float)
    sounds = rng.choice(SOUNDS, size=len(starts))
    samples = int(np.ceil(rows / CONTROL_RATE * SAMPLERATE))
    breath = np.zeros(samples)
    for sound, (band, length, level, closure) in CONSONANTS.items():
        shape = level * np.hanning(int(length * SAMPLERATE)) ** 0.5
        for note in np.flatnonzero(sounds == sound):
            onset = starts[note]
            first = max(0, int((onset - (length if closure else 0)) * SAMPLERATE))
            hiss = velocities[note] * shape * noise(rng, len(shape), *band)
            breath[first : first + len(hiss)] += hiss[: max(0, samples - first)]
            loudness[(time > onset - length - closure) & (time < onset)] = 0
    for note in np.flatnonzero(sounds == "nasal"):
        hum = (time >= starts[note]) & (time < starts[note] + 0.07)
        formants[hum] = NASAL
        loudness[hum] *= 0.35
    return pitch, smooth(loudness, 0.011), smooth(formants, 0.028), breath


def sing(line: Line, scale: float, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Sing `line`; mono sound [samples].

    The glottal pulse falls by 12 dB per octave, of which radiation at the lips restores 6. `scale`
    multiplies all formants; a vocal tract shorter than the table's has a scale above 1.
    """
    rows = int(np.ceil(samples * CONTROL_RATE / SAMPLERATE)) + 1
    pitch, loudness, formants, breath = control_tracks(line, rng, rows)
    control, time = np.arange(rows) / CONTROL_RATE, np.arange(samples) / SAMPLERATE

    def gain(times: np.ndarray, partials: np.ndarray) -> np.ndarray:
        at = np.minimum(np.round(times[:, 0] * CONTROL_RATE).astype(int), rows - 1)
        number = partials / partials[:, :1]
        effort = 0.6 + 0.4 * loudness[at, None]
        return formant_gain(partials, formants[at], scale) / number ** (1.7 - effort)

    frequency = hertz(np.interp(time, control, pitch))
    harmonics = int(min(80, 11000 / frequency.min()))
    voiced = harmonic_tone(frequency, gain, -0.5 * np.pi * np.ones(harmonics))
    envelope = np.interp(time, control, loudness)
    aspiration = 0.006 * noise(rng, samples, 1500, 9000) * envelope
    level = np.sqrt(np.mean(voiced**2)) + 1e-12
    return 0.25 * voiced / level * envelope + aspiration + 0.35 * breath[:samples]
