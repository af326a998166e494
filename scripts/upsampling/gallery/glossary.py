"""What probes, measures and artifacts are, in words; a name that is not here explains itself."""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """A readable title and one or two sentences."""

    title: str
    text: str


ARTIFACTS = {
    "tonal": Words(
        "Tonal artifacts",
        "Tones at multiples of the sampling rate divided by the stride: horizontal lines in a "
        "spectrogram, a steady whistle or buzz to the ear. Transposed and subpixel convolutions "
        "make every s-th sample with the same weights, so that even a constant comes out with a "
        "period of s samples (Sec. 2 and 4 of the paper).",
    ),
    "filtering": Words(
        "Filtering artifacts",
        "Valleys at the same frequencies: interpolation is a fixed low-pass filter whose zeros "
        "lie there, and high frequencies come out dull. Nearest neighbor and linear interpolation "
        "have them instead of tones (Sec. 3).",
    ),
    "replicas": Words(
        "Spectral replicas",
        "Upsampling repeats the spectrum above the old Nyquist frequency. Layers that follow "
        "repeat whatever came before: the signal, its tones and its valleys (Sec. 5).",
    ),
    "boundary": Words(
        "Boundary artifacts",
        "At both ends fewer frames overlap, or zeros are padded, and the output deviates there: "
        "a click at the beginning or the end (Sec. 2).",
    ),
}

PROBES = {
    "silence": Words(
        "Silence",
        "Zeros. Whatever sounds here is the model's own: biases turn silence into constants, and "
        "problematic upsamplers turn constants into tones. The paper reports that tones survive "
        "training above all in silent parts.",
    ),
    "ones": Words(
        "Ones",
        "A constant of 1, as in Figs. 2-5, 7 and 8 of the paper. An upsampler without tonal "
        "artifacts answers with a constant, which nobody hears.",
    ),
    "constant": Words("Constant", "A constant of 0.1, quieter than anything in training."),
    "white_noise": Words(
        "White noise",
        "Equally loud at all frequencies, so that tones and valleys of the output are the "
        "model's own; far from anything in training.",
    ),
    "sweep": Words(
        "Sine sweep",
        "A sine that rises from 20 Hz to almost half the sampling rate. Images of it, mirrored "
        "at the strides' frequencies, are spectral replicas.",
    ),
    "music": Words(
        "Music",
        "The excerpt of Fig. 6, which holds nothing above 2 kHz: all that is above is made by "
        "the model.",
    ),
    "percussive": Words("Percussion", "Four hits a second, in turn a kick and a snare."),
    "speech_like": Words("Speech-like", "Syllables at the rhythm and the formants of speech."),
    "weights": Words("Weights alone", "No sound: measured from the layers' own weights."),
    "initialisation": Words(
        "White noise, before training",
        "The probe of Figs. 1 and 9, which every upsampler of the configuration gets: a randomly "
        "initialised model of the width that is named, not trained.",
    ),
}

MEASURES = {
    "level": Words("Level", "RMS level of the whole output, its constant part included."),
    "tone_prominence": Words(
        "Tone prominence",
        "How far the bin at this frequency stands above its neighbours. High for a tonal "
        "artifact, about 0 where there is none, negative in a valley.",
    ),
    "tone_level": Words("Tone level", "RMS level of a sine at this frequency."),
    "notch_depth": Words(
        "Notch depth",
        "How far the bin at this frequency lies below the third-octave around it. Positive for a "
        "filtering artifact, negative for a tone.",
    ),
    "comb_prominence_mean": Words(
        "Comb prominence, mean",
        "Prominence averaged over all multiples of this frequency, minus that of control bins "
        "halfway between: music is harmonic itself, and the controls take that out.",
    ),
    "comb_prominence_max": Words(
        "Comb prominence, maximum",
        "The most prominent multiple of this frequency, minus the most prominent control bin.",
    ),
    "stationarity": Words(
        "Stationarity",
        "The share of the power at this frequency that stands still. 1 for an artifact's steady "
        "tone, near 0 for music and noise.",
    ),
    "tone_to_noise_ratio": Words(
        "Tone-to-noise ratio",
        "The tone against the noise in the critical band of hearing around it (ECMA-418-1).",
    ),
    "prominence_ratio": Words(
        "Prominence ratio",
        "The critical band of hearing around the tone against the bands beside it (ECMA-418-1).",
    ),
    "polyphase_imbalance": Words(
        "Polyphase imbalance",
        "From the weights: the tones that the layer adds to a constant, relative to what it makes "
        "of the constant itself. Zero if and only if no constant gives a tone. Without a "
        "frequency: RMS over all layers.",
    ),
    "bias_imbalance": Words(
        "Bias imbalance",
        "From the weights: the same for what the layer's biases make of silence.",
    ),
    "tone_to_constant": Words(
        "Tone to constant",
        "From the weights: the layer's tone at this frequency for a constant input, relative to "
        "the constant that comes out.",
    ),
    "image_to_base": Words(
        "Images to base",
        "From the weights: for white noise, the energy above the old Nyquist frequency (spectral "
        "replicas) against that below it.",
    ),
    "droop": Words(
        "Droop",
        "From the weights: the gain at nine tenths of the old Nyquist frequency. Negative where "
        "interpolation dulls the sound.",
    ),
    "shift_error_sample": Words(
        "Error of a shift by one sample",
        "What changes when white noise comes one sample later, relative to the output: high where "
        "the grid of strided layers shows.",
    ),
    "shift_error_stride": Words(
        "Error of a shift by the total stride",
        "The same for a shift that leaves the grid in its place: what is left comes from borders "
        "and from layers that remember them.",
    ),
    "boundary_error": Words(
        "Boundary error",
        "From the weights: how far the response to a constant deviates at its ends from what it "
        "is in between.",
    ),
}


def words_for(name: str, known: Mapping[str, Words]) -> Words:
    """The words for `name`; for one that is not known, its name made readable and no text."""
    readable = name.replace("_", " ") or "none"
    return known.get(name, Words(readable[:1].upper() + readable[1:], ""))
