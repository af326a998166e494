"""Readable titles and explanations of artifacts, probes and measures."""

import re
from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    """A readable title and one or two sentences."""

    title: str
    text: str


def entries(text: str) -> dict[str, Entry]:
    """The entries of `text` by name: each a line "name: title", and its explanation indented."""
    found = re.findall(r"^(\w+): (.+)\n((?: +.+\n)+)", text, re.MULTILINE)
    return {name: Entry(title, " ".join(lines.split())) for name, title, lines in found}


ARTIFACTS = entries("""
tonal: Tonal artifacts
    Tones at multiples of the sampling rate divided by the stride: horizontal lines in a
    spectrogram, a steady whistle or buzz to the ear. Transposed and subpixel convolutions make
    every s-th sample with the same weights, so that even a constant comes out with a period of s
    samples (Sec. 2 and 4 of the paper).
filtering: Filtering artifacts
    Valleys at the same frequencies: interpolation is a fixed low-pass filter whose zeros lie there,
    and high frequencies come out dull. Nearest neighbor and linear interpolation have them instead
    of tones (Sec. 3).
replicas: Spectral replicas
    Upsampling repeats the spectrum above the old Nyquist frequency. Layers that follow repeat the
    output of earlier ones: the signal, its tones and its valleys (Sec. 5).
boundary: Boundary artifacts
    At both ends fewer frames overlap, or zeros are padded, and the output deviates there: a click
    at the beginning or the end (Sec. 2).
""")

PROBES = entries("""
silence: Silence
    Zeros. Any sound here is the model's own: biases turn silence into constants, and problematic
    upsamplers turn constants into tones. The paper reports that tones survive training above all in
    silent parts.
ones: Ones
    A constant of 1, as in Figs. 2-5, 7 and 8 of the paper. An upsampler without tonal artifacts
    answers with a constant, which is inaudible.
constant: Constant
    A constant of 0.1, quieter than anything in training.
white_noise: White noise
    Equally loud at all frequencies, so that tones and valleys of the output are the model's own;
    far from anything in training.
sweep: Sine sweep
    A sine that rises from 20 Hz to almost half the sampling rate. Images of it, mirrored at the
    strides' frequencies, are spectral replicas.
music: Music
    The excerpt of Fig. 6, which holds nothing above 2 kHz: all that is above is made by the model.
percussive: Percussion
    Four hits a second, in turn a kick and a snare.
speech_like: Speech-like
    Syllables at the rhythm and the formants of speech.
weights: Weights alone
    No sound: measured from the layers' own weights.
initialisation: White noise, before training
    The probe of Figs. 1 and 9, which every upsampler of the configuration gets: a randomly
    initialised model of the width that is named, not trained.
""")

MEASURES = entries("""
level: Level
    RMS level of the whole output, its constant part included.
tone_prominence: Tone prominence
    How far the bin at this frequency stands above its neighbors. High for a tonal artifact, about 0
    where there is none, negative in a valley.
tone_level: Tone level
    RMS level of a sine at this frequency.
notch_depth: Notch depth
    How far the bin at this frequency lies below the third-octave around it. Positive for a
    filtering artifact, negative for a tone.
comb_prominence_mean: Comb prominence, mean
    Prominence averaged over all multiples of this frequency, minus that of control bins halfway
    between: music is harmonic itself, and the controls take that out.
comb_prominence_max: Comb prominence, maximum
    The most prominent multiple of this frequency, minus the most prominent control bin.
stationarity: Stationarity
    The share of the power at this frequency that stands still. 1 for an artifact's steady tone,
    near 0 for music and noise.
tone_to_noise_ratio: Tone-to-noise ratio
    The tone against the noise in the critical band of hearing around it (ECMA-418-1).
prominence_ratio: Prominence ratio
    The critical band of hearing around the tone against the bands beside it (ECMA-418-1).
polyphase_imbalance: Polyphase imbalance
    From the weights: the tones that the layer adds to a constant, relative to the constant part of
    its output. Zero if and only if no constant gives a tone. Without a frequency: RMS over all
    layers.
bias_imbalance: Bias imbalance
    From the weights: the same for silence, from the layer's biases alone.
tone_to_constant: Tone to constant
    From the weights: the layer's tone at this frequency for a constant input, relative to the
    constant that comes out.
image_to_base: Images to base
    From the weights: for white noise, the energy above the old Nyquist frequency (spectral
    replicas) against that below it.
droop: Droop
    From the weights: the gain at nine tenths of the old Nyquist frequency. Negative where
    interpolation dulls the sound.
shift_error_sample: Error of a shift by one sample
    The change of the output when white noise comes one sample later, relative to the output: high
    where the grid of strided layers shows.
shift_error_stride: Error of a shift by the total stride
    The same for a shift that leaves the grid in its place: the rest comes from borders and from
    layers that remember them.
boundary_error: Boundary error
    From the weights: how far the output for a constant deviates at its ends from its middle.
""")


def entry_of(name: str, glossary: Mapping[str, Entry]) -> Entry:
    """The entry of `name`; without one, its name as a readable title and no text."""
    readable = name.replace("_", " ") or "none"
    return glossary.get(name, Entry(readable[:1].upper() + readable[1:], ""))
