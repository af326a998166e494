"""Noise, music and speech through a network: do its combs stand out, and are they audible?

Networks for audio get the probe signals themselves; networks for features the result of a
function of the user's for them. A latent has no such function: its noise is one of independent
normal frames.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upsampling.audit.combs import comb_of_lines, excesses, resolution
from upsampling.audit.steady import lengthened, output_rows
from upsampling.decibels import RANGE_DB
from upsampling.measures.ecma418 import assessed, prominence_limit
from upsampling.measures.from_waveform import (
    ECMA,
    SINGLE_RANGE_DB,
    comb_frequencies,
    level,
    notch_depth,
    prominence,
    stationarity,
    tone_level,
    with_floor,
)
from upsampling.measures.shifts import shift_error
from upsampling.measures.spectra import frame_transforms
from upsampling.networks.network import Flat, Floats, Network, NetworkError
from upsampling.networks.upsamplers import Structure
from upsampling.probes.signals import MUSIC_FILE, probe_signal

SIGNALS = ("white_noise", "music", "speech_like")
LATENT = "latent_noise"
# The most prominent lines of each probe that are described.
TONES = 8
# An excess that is as good as none.
LEFT_DB = 3.0
# The part of an output, at either end, that is taken for its borders.
BORDER = 0.05

Features = Callable[[Floats, int], Floats]


@dataclass(frozen=True)
class AuditSettings:
    """Settings of an audit: seed of random constants and probes, and seconds of each probe.

    `features` makes the input of a network from a waveform [samples] and its sampling rate.
    """

    seed: int = 0
    seconds: float = 3.0
    probe: bool = True
    features: Features | None = None


DEFAULTS = AuditSettings()


@dataclass(frozen=True)
class Probe:
    """An input [channels, time] of a network, and its name."""

    name: str
    inputs: Floats


def probes(structure: Structure, settings: AuditSettings = DEFAULTS) -> list[Probe]:
    """The inputs that a network can be probed with: about `seconds` of output each.

    Music is among them where its file is installed. Random signals are independent in each channel.
    Raises `NetworkError` if `features` fails.
    """
    network, seed, features = structure.network, settings.seed, settings.features
    n_fft, _ = resolution(structure)
    least = max(settings.seconds * network.samplerate, 3 * n_fft / (1 - 2 * BORDER))
    length = lengthened(structure, ceil(least / structure.rate), 0)
    available = [name for name in SIGNALS if name != "music" or MUSIC_FILE.is_file()]
    if network.kind == "audio":
        return [Probe(name, waveforms(network, name, length, seed)) for name in available]
    if features is None:
        rng = np.random.default_rng(seed)
        return [Probe(LATENT, rng.standard_normal((network.channels, length)))]
    return [
        Probe(name, _computed(structure, features, name, settings.seconds)) for name in available
    ]


def waveforms(network: Network, name: str, length: int, seed: int = 0) -> Floats:
    """The probe signal `name` [channels, length] at the network's sampling rate."""
    seconds = (length + 1) / network.samplerate
    rows = [
        probe_signal(name, seconds, network.samplerate, seed + channel)[:length]
        for channel in range(network.channels)
    ]
    return np.stack(rows).astype(np.float64)


def _computed(structure: Structure, features: Features, name: str, seconds: float) -> Floats:
    network = structure.network
    waveform = probe_signal(name, seconds, network.samplerate)
    try:
        inputs = np.asarray(features(waveform, network.samplerate), dtype=np.float64)
    except Exception as error:
        raise NetworkError(f"the features of {name} cannot be computed: {error!r}") from error
    if inputs.ndim == 3 and len(inputs) == 1:
        inputs = inputs[0]
    if inputs.ndim != 2 or len(inputs) != network.channels:
        raise NetworkError(
            f"the features of {name} are {list(inputs.shape)}, not [{network.channels}, frames]"
        )
    frames = inputs.shape[1] - (inputs.shape[1] - structure.length) % structure.step
    if frames < structure.length:
        raise NetworkError(f"{inputs.shape[1]} frames of {name} are fewer than {structure.length}")
    return inputs[:, :frames]


def respond(structure: Structure, inputs: Floats, flat: Sequence[Flat] = ()) -> Floats:
    """Output [channels, time] without its borders. Raises `NetworkError` if it is not finite."""
    rows = output_rows(structure, inputs, flat)
    border = int(BORDER * rows.shape[-1])
    return rows[:, border : rows.shape[-1] - border]


def measure_probe(structure: Structure, probe: Probe) -> dict[str, Any]:
    """Excess of each comb in dB, the most prominent lines, and notches, for one probe.

    Of several output channels, lines and notches are those of the loudest.
    """
    rows = respond(structure, probe.inputs)
    transforms, power, told = _spectra(structure, rows)
    loudest = int(np.argmax(power.sum(axis=-1)))
    found = excesses(structure, told)
    _, finest = resolution(structure)
    rate = structure.network.samplerate
    return {
        "level_dbfs": level(rows[loudest]),
        "excess_db": [one and one[0] for one in found],
        "error_db": [one and one[1] for one in found],
        "tones": _tones(told[loudest], transforms[loudest], rate / finest, rate),
        "notch_depth_db": _notches(structure, told[loudest], rate),
    }


def _spectra(structure: Structure, rows: Floats) -> tuple[list[NDArray[Any]], Floats, Floats]:
    """Frames' transforms of each row, mean power, and power as far as rounding lets it be told."""
    n_fft, _ = resolution(structure)
    single = structure.network.epsilon > np.finfo(np.float64).eps
    range_db = SINGLE_RANGE_DB if single else RANGE_DB
    transforms = [frame_transforms(row, n_fft) for row in rows]
    power = np.array([np.mean(np.abs(one) ** 2, axis=0) for one in transforms])
    told = np.array([with_floor(one, range_db) for one in power])
    return transforms, power, told


def attribute_probe(structure: Structure, probe: Probe) -> list[list[float | None]]:
    """Excess in dB of each comb for one probe, with each layer flat in turn (`attribution`)."""
    found = []
    for layer in structure.layers:
        rows = respond(structure, probe.inputs, [layer.flat])
        _, _, told = _spectra(structure, rows)
        found.append([one and one[0] for one in excesses(structure, told)])
    return found


def makers_in_sound(as_is: float | None, flat: Sequence[float | None]) -> tuple[int, ...]:
    """The layers that make a comb's excess in a sound: those whose interventions take it away.

    A comb is away if at most `LEFT_DB`, or half of the excess; none is named for an excess that
    is not larger itself.
    """
    if as_is is None or as_is <= LEFT_DB:
        return ()
    limit = max(LEFT_DB, as_is / 2)
    return tuple(n for n, one in enumerate(flat) if one is not None and one <= limit)


def _tones(
    power: Floats, transforms: NDArray[Any], spacing: float, rate: int
) -> list[dict[str, Any]]:
    """The most prominent lines, with the ratios of ECMA-418-1 where it assesses them."""
    lines = comb_frequencies(spacing, rate)
    stands = prominence(power, lines, rate)
    order = np.argsort(-stands, kind="stable")[:TONES]
    steady = stationarity(transforms, lines[order], rate)
    described = []
    for place, still in zip(order, steady, strict=True):
        frequency = float(lines[place])
        ratios = {
            name: ratio(power, frequency, rate)
            for name, ratio in ECMA.items()
            if assessed(frequency, rate, name)
        }
        audible = any(value >= prominence_limit(frequency, n) for n, value in ratios.items())
        described.append(
            {
                "frequency_hz": frequency,
                "prominence_db": float(stands[place]),
                "level_dbfs": tone_level(power, frequency, rate),
                "stationarity": float(still),
                "prominent": audible,
                **{f"{name}_db": value for name, value in ratios.items()},
            }
        )
    return described


def _notches(structure: Structure, power: Floats, rate: int) -> list[dict[str, float]]:
    """Depth of the notch at each line of the coarsest comb, where an interpolation has zeros."""
    periods, _ = comb_of_lines(structure)
    if not periods:
        return []
    return [
        {"frequency_hz": float(one), "depth_db": notch_depth(power, float(one), rate)}
        for one in comb_frequencies(rate / periods[0], rate)
    ]


def shift_errors(structure: Structure, seed: int = 0) -> dict[str, float]:
    """Error in dB of a response to noise that comes one sample, and one total stride, later."""
    period = structure.step
    length = lengthened(structure, structure.length + 4 * period, 0)
    noise = waveforms(structure.network, "white_noise", length + period, seed)
    first, sample, stride = (
        respond(structure, noise[:, start : start + length]) for start in (0, 1, period)
    )
    return {
        "shift_error_sample_db": shift_error(first, sample, 1),
        "shift_error_stride_db": shift_error(first, stride, period),
    }
