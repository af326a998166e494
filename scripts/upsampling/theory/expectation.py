"""Expected measurements of random initialisations, shown beside their measured distributions.

Independent weights of zero mean have a flat spectrum on average: E|W(f)|^2 is the same at every f,
as that of a single tap is. A fixed interpolation with taps g before or after them (nearest
neighbor, linear, ...) multiplies it by |G(f)|^2. So each operator has, at initialisation, the
expected S(f) of one filter: a single tap for operators whose phases are all random, else g. RMS
values over many pairs of channels approach the tones, images and droop of that filter.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from upsampling.config.model import ModelSettings
from upsampling.measures.artifact_rows import WEIGHTS, tidy
from upsampling.measures.from_waveform import Measurement
from upsampling.measures.from_weights import droop, image_to_base, imbalance
from upsampling.measures.init_statistics import OUTERMOST_MEASURES
from upsampling.theory.closed_forms import (
    INTERPOLATORS,
    Floats,
    comb_spectrum,
    polyphase_sums,
    random_level_quantile,
)

# Lower, middle and upper quantile of a measure that is spread over seeds.
QUANTILES = (0.05, 0.5, 0.95)
RANDOM = ("transposed", "subpixel", "stretch", "lazy_wavelet", "haar_wavelet", "learned_wavelet")
INTERPOLATOR_OF: dict[str, str] = {
    "nearest": "nearest",
    "nearest_2s": "nearest",
    "subpixel_icnr": "nearest",
    "subpixel_zoh": "nearest",
    "transposed_nearest_init": "nearest",
    "kaiser_sinc": "kaiser_sinc",
}


def equivalent_taps(operator: str, options: Mapping[str, Any], stride: int) -> Floats | None:
    """Taps of the filter that `operator` has in expectation at initialisation; None if unknown."""
    if operator in RANDOM:
        return np.ones(1)
    name = INTERPOLATOR_OF.get(operator, "")
    if operator == "linear" and options.get("definition", "half_pixel") != "align_corners":
        name = f"linear ({options.get('definition', 'half_pixel')})"
    if operator == "sinc" and options.get("zeros", 24) in (8, 24, 56):
        name = f"sinc (zeros {options.get('zeros', 24)})"
    return INTERPOLATORS[name](stride) if name else None


OF_TAPS: dict[str, Callable[[Floats, int], float]] = {
    "polyphase_imbalance": lambda h, s: imbalance(comb_spectrum(polyphase_sums(h, s)) ** 2),
    "image_to_base": lambda h, s: image_to_base(np.correlate(h, h, mode="full"), s),
    "droop": lambda h, s: droop(np.correlate(h, h, mode="full"), s),
}


def expected_values(
    measure: str, operator: str, options: Mapping[str, Any], stride: int
) -> tuple[float, ...]:
    """Expected `measure` of the outermost layer: one value, `QUANTILES`, or () if unknown.

    `tone_to_constant` spreads over seeds, for operators whose phases are all random: by Fisher's F
    distribution (`random_level_quantile`), apart from a bias.
    """
    if measure == "tone_to_constant" and operator in RANDOM:
        return tuple(float(random_level_quantile(q, 1, stride)) for q in QUANTILES)
    taps = equivalent_taps(operator, options, stride)
    if measure in OF_TAPS and taps is not None:
        return (OF_TAPS[measure](taps, stride),)
    return ()


def expectations(settings: ModelSettings, variant: str) -> list[dict[str, Any]]:
    """Tidy rows, without a seed, of the values that theory expects of the outermost weights.

    Stage `expected` for a value that all seeds scatter around; `expected_q05`, `expected_q50` and
    `expected_q95` for quantiles over seeds. No row where there is no closed form.
    """
    operator, options = settings.outermost
    rows = []
    for measure in OUTERMOST_MEASURES[WEIGHTS] if settings.strides else ():
        stride = settings.strides[-1]
        values = expected_values(measure, operator, options, stride)
        names = [f"expected_q{100 * q:02.0f}" for q in QUANTILES]
        unit = "1" if measure == "polyphase_imbalance" else "dB"
        for stage, value in zip(names if len(values) > 1 else ["expected"], values, strict=False):
            head = {"variant": variant, "seed": None, "stage": stage, "probe": WEIGHTS}
            line = settings.samplerate / stride  # type: ignore[union-attr]
            measurement = Measurement(measure=measure, frequency_hz=line, value=value, unit=unit)
            rows += tidy([measurement], head)
    return rows
