"""The demo band without its singer: drums, bass, and "other" (chords, arpeggios).

Each player takes a `Song` and a random generator and returns stereo sound [2, samples] at 44.1 kHz,
of about unit peak.
"""

import numpy as np
from scipy import fft, signal

from upsampling.demo_music.composition import BEATS_PER_BAR, Song, bass_notes, drum_hits
from upsampling.demo_music.synthesis import (
    SAMPLERATE,
    add,
    decay,
    harmonic_tone,
    hertz,
    noise,
    room,
)

DRUM_PANS = {"kick": 0.0, "snare": -0.08, "rim": 0.2, "hat": 0.35, "open": 0.35, "crash": -0.4}


def kick(rng: np.random.Generator) -> np.ndarray:
    """Bass drum: a sine that sweeps from about 180 Hz to 48 Hz, and the click of the beater."""
    samples = int(0.32 * SAMPLERATE)
    time = np.arange(samples) / SAMPLERATE
    frequency = rng.uniform(45, 52) + rng.uniform(110, 150) * np.exp(-time / 0.022)
    body = np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLERATE) * decay(samples, 0.11)
    click = noise(rng, samples, 1500, 6000) * decay(samples, 0.004)
    return np.tanh(1.6 * body) + 0.12 * click


def snare(rng: np.random.Generator) -> np.ndarray:
    """Snare drum: two modes of the head and the broadband rattle of the wires."""
    samples = int(0.28 * SAMPLERATE)
    time = np.arange(samples) / SAMPLERATE
    tone = rng.uniform(175, 205) * (1 + 0.25 * np.exp(-time / 0.01))
    phase = 2 * np.pi * np.cumsum(tone) / SAMPLERATE
    head = (np.sin(phase) + 0.6 * np.sin(1.66 * phase)) * decay(samples, 0.05)
    wires = noise(rng, samples, 900, 11000) * decay(samples, rng.uniform(0.06, 0.08))
    return 0.5 * head + 0.38 * wires


def rim(rng: np.random.Generator) -> np.ndarray:
    """Side stick: a short ring at 1.7 kHz over a knock."""
    samples = int(0.09 * SAMPLERATE)
    time = np.arange(samples) / SAMPLERATE
    ring = np.sin(2 * np.pi * rng.uniform(1650, 1750) * time) * decay(samples, 0.012)
    knock = np.sin(2 * np.pi * 420 * time) * decay(samples, 0.02)
    return 0.5 * ring + 0.4 * knock + 0.1 * noise(rng, samples, 2000, 9000) * decay(samples, 0.006)


def cymbal(rng: np.random.Generator, seconds: float, ringing: float) -> np.ndarray:
    """Hi-hat or crash: high noise over an inharmonic cluster, dying away in `ringing` s."""
    samples = int(seconds * SAMPLERATE)
    time = np.arange(samples) / SAMPLERATE
    modes = rng.uniform(0.97, 1.03) * np.array([3420.0, 4270.0, 5630.0, 6810.0, 8290.0])
    metal = np.sign(np.sin(2 * np.pi * modes[:, None] * time)).sum(axis=0)
    sound = signal.sosfilt(
        signal.butter(3, 6000, "highpass", fs=SAMPLERATE, output="sos"), 0.15 * metal
    )
    return 0.5 * (sound + 0.6 * noise(rng, samples, 5500, 16000)) * decay(samples, ringing)


def tom(rng: np.random.Generator, pitch: float) -> np.ndarray:
    """Tom: a head whose pitch falls a little, and the noise of the stick."""
    samples = int(0.35 * SAMPLERATE)
    time = np.arange(samples) / SAMPLERATE
    frequency = hertz(pitch - 12) * (1 + 0.4 * np.exp(-time / 0.03))
    head = np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLERATE) * decay(samples, 0.12)
    return 0.8 * head + 0.1 * noise(rng, samples, 500, 5000) * decay(samples, 0.015)


def play_drum(rng: np.random.Generator, drum: str, pitch: float) -> np.ndarray:
    """One stroke of `drum`, with randomly varied parameters."""
    if drum == "hat":
        return cymbal(rng, 0.09, rng.uniform(0.016, 0.024))
    if drum == "open":
        return cymbal(rng, 0.3, 0.09)
    if drum == "crash":
        return 1.3 * cymbal(rng, 1.5, 0.4)
    if drum == "tom":
        return tom(rng, pitch)
    return {"kick": kick, "snare": snare, "rim": rim}[drum](rng)


def play_drums(song: Song, rng: np.random.Generator, samples: int) -> np.ndarray:
    """The drum kit; each stroke is some milliseconds early or late, as a drummer's are."""
    track = np.zeros((2, samples), np.float32)
    for drum, hits in sorted(drum_hits(song, rng).items()):
        strokes = [play_drum(rng, drum, 50.0) for _ in range(4)]
        for number, hit in enumerate(hits):
            stroke = tom(rng, hit.pitch) if drum == "tom" else strokes[number % len(strokes)]
            start = float(song.clock(hit.start)) + rng.normal(0, 0.003)
            pan = DRUM_PANS.get(drum, (hit.pitch - 53) / 12)
            add(track, stroke * hit.velocity**1.5, start, pan)
    return np.tanh(np.float32(0.9) * room(track, rng, 0.3, 0.12))


def play_bass(song: Song, rng: np.random.Generator, samples: int) -> np.ndarray:
    """The bass: one monophonic line, a filtered saw or a plucked string, in the middle."""
    notes = bass_notes(song, rng)
    if not notes:
        return np.zeros((2, samples), np.float32)
    time = np.arange(samples) / SAMPLERATE
    line = song.line(notes)
    current, age = line.latest(time)
    velocity = line.velocities[current]
    plucked = song.feel.bass_sound == "string"
    brightness = rng.uniform(350, 600) if plucked else rng.uniform(250, 420)
    sustain = 1.4 if plucked else 6.0

    def gain(times: np.ndarray, partials: np.ndarray) -> np.ndarray:
        at = np.minimum((times * SAMPLERATE).astype(int), samples - 1)
        since, hit = np.maximum(age[at], 0), velocity[at]
        cutoff = brightness * hit * (1 + 2.5 * np.exp(-since / 0.12))
        number = partials / partials[:, :1]
        fading = np.exp(-since * number / (4 * sustain)) if plucked else 1.0
        return fading / number / (1 + (partials / cutoff) ** 4) ** 0.5

    sound = harmonic_tone(hertz(line.pitches[current]), gain, rng.uniform(0, 2 * np.pi, 40))
    release = np.clip((line.ends[current] - time) / 0.02, 0, 1)
    envelope = np.clip(age / 0.005, 0, 1) * release * np.exp(-np.maximum(age, 0) / sustain)
    sound = np.tanh(0.5 * sound * envelope * velocity)
    return np.tile(sound.astype(np.float32), (2, 1))


def voicing(song: Song, bar: int, center: int, voices: int) -> list[int]:
    """The chord of `bar` as MIDI pitches, each in the octave around `center`."""
    return sorted(center - 6 + (p - center + 6) % 12 for p in song.chord(bar)[:voices])


def play_pad(song: Song, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Strings: each chord is one inverse FFT of partials spread over some Hz, as by an ensemble.

    The two channels have independent phases, for a wide image. The spread grows with the partial's
    frequency, like detuning in cents.
    """
    track = np.zeros((2, samples), np.float32)
    for bar in song.bars_of("other"):
        start = float(song.clock(BEATS_PER_BAR * bar))
        length = float(song.clock(BEATS_PER_BAR * (bar + 1))) - start
        size = fft.next_fast_len(int((length + 0.25) * SAMPLERATE), real=True)
        frequencies = np.fft.rfftfreq(size, 1 / SAMPLERATE)
        spectrum = np.zeros(len(frequencies))
        for pitch in voicing(song, bar, 62, 4):
            for number in range(1, 13):
                partial = float(hertz(pitch)) * number
                width = 0.0022 * partial + 0.3
                edges = partial + 4 * width * np.array([-1, 1])
                near = slice(*np.searchsorted(frequencies, edges))
                bump = np.exp(-0.5 * ((frequencies[near] - partial) / width) ** 2)
                spectrum[near] += bump / width**0.5 / number / (1 + (partial / 1800) ** 2)
        phases = np.exp(2j * np.pi * rng.random((2, len(frequencies))))
        sound = fft.irfft(spectrum * phases, size)
        time = np.arange(size) / SAMPLERATE
        envelope = np.clip(time / 0.12, 0, 1) * np.clip((length + 0.2 - time) / 0.2, 0, 1)
        sound *= envelope / (np.std(sound) + 1e-12) * 0.25
        for channel, side in zip(sound, (-1, 1), strict=True):
            add(track, channel, start, side)
    return track


def play_keys(song: Song, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Electric piano: two-operator FM, bright when struck and mellow after, with a slow tremolo."""
    rhythms = ([0.0, 1.5], [0.0, 1.5, 3.0], [0.5, 1.5, 2.5, 3.5], [0.0, 2.0, 3.5])
    rhythm = rhythms[rng.integers(len(rhythms))]
    track = np.zeros((2, samples), np.float32)
    for bar in song.bars_of("other"):
        for start, end in zip(rhythm, [*rhythm[1:], 4.0], strict=True):
            begin, stop = song.clock(BEATS_PER_BAR * bar + np.array([start, end - 0.1]))
            time = np.arange(int((stop - begin) * SAMPLERATE)) / SAMPLERATE
            velocity = rng.uniform(0.6, 1.0)
            sound = np.zeros(len(time))
            for pitch in voicing(song, bar, 60, 4):
                phase = 2 * np.pi * hertz(pitch + rng.normal(0, 0.04)) * time
                index = 1.6 * velocity * np.exp(-time / 0.25)
                tine = 0.25 * velocity * np.exp(-time / 0.05) * np.sin(7 * phase)
                sound += np.sin(phase + index * np.sin(phase) + tine)
            sound *= velocity * decay(len(time), 1.1, attack=0.003)
            add(track, 0.2 * sound, begin + rng.uniform(0, 0.008), 0.0)
    tremolo = 0.25 * np.sin(2 * np.pi * 4.5 * np.arange(samples) / SAMPLERATE)
    return track * np.stack([1 + tremolo, 1 - tremolo]).astype(np.float32)


def play_pluck(song: Song, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Plucked arpeggio over the chords; higher partials decay faster."""
    order = rng.permutation([0, 1, 2, 3, 2, 1, 3, 2])
    spacing = float(rng.choice([0.5, 0.5, 0.25])) if song.tempo < 112 else 0.5
    track = np.zeros((2, samples), np.float32)
    length = int(0.7 * SAMPLERATE)
    for bar in song.bars_of("other"):
        pitches = voicing(song, bar, 67, 4)
        for step in range(int(BEATS_PER_BAR / spacing)):
            if rng.random() < 0.12:
                continue
            frequency = float(hertz(pitches[order[step % len(order)]] + rng.normal(0, 0.03)))
            plucked_at = rng.uniform(0.18, 0.3)

            def gain(
                times: np.ndarray, partials: np.ndarray, plucked_at: float = plucked_at
            ) -> np.ndarray:
                number = partials / partials[:, :1]
                comb = np.sin(np.pi * number * plucked_at) / number
                return comb * np.exp(-times * (1.5 + 0.0022 * partials))

            sound = harmonic_tone(np.full(length, frequency), gain, np.zeros(24))
            sound *= decay(length, 1.0) * rng.uniform(0.6, 1.0)
            start = float(song.clock(BEATS_PER_BAR * bar + step * spacing))
            add(track, 0.5 * sound, start, 0.6 if step % 2 else -0.6)
    return track


def play_other(song: Song, rng: np.random.Generator, samples: int) -> np.ndarray:
    """Chords and arpeggios together, in a room."""
    players = {"pad": play_pad, "keys": play_keys, "pluck": play_pluck}
    track = np.zeros((2, samples), np.float32)
    for sound in song.feel.sounds:
        part = players[sound](song, rng, samples)
        level = float(np.sqrt(np.mean(part**2))) + 1e-12
        track += part * np.float32(0.1 * rng.uniform(0.8, 1.2) / level)
    return room(track, rng, 0.4, 0.2)
