"""The report as one HTML page that loads nothing: words, tables, the spectrum, the sound."""

from collections.abc import Mapping
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np

from upsampling.audit.verdict import PROBE_NAMES, advice, hertz, listed
from upsampling.html_pages import flac, policy, templates
from upsampling.networks.network import Floats

FOLDER = Path(__file__).parent
# The plot, in units of its own.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 320, 52, 888, 24, 268
# Colours that the style sheet has; further layers share the last one.
COLOURS = 7
# Range of the drawing below the loudest line, in dB.
DRAWN = 100.0
# The sound: its length, its level, and below which level a 16-bit file would keep nothing of it.
SECONDS, TARGET_DBFS, PEAK, AUDIBLE_DBFS = 2.0, -26.0, 0.89, -140.0


def page(report: Mapping[str, Any], silence: Floats) -> str:
    """The page of a report; `silence` [channels, S] is one steady period of the silent response.

    Equal reports give equal bytes. All text is escaped. Raises `UserError` without Jinja2.
    """
    environment = templates(FOLDER)
    environment.filters |= {"level": level, "ratio": ratio, "hertz": plain_hertz}
    style = (FOLDER / "page.css").read_text()
    return environment.get_template("page.html.j2").render(
        report={"repair": None, **report},
        title=title(report["network"]),
        plot=plot(report),
        sound=sound(silence, report["samplerate"]),
        inputs=list(report["combs"][0]["excess_db"]) if report["combs"] else [],
        probe_names=PROBE_NAMES,
        advice=advice(report),
        style=style,
        policy=policy(style),
    )


def title(path: str) -> str:
    """The name of a network without its folders, but for a model's own: variant/seed."""
    parts = Path(path).parts
    return "/".join(parts[-2:]) if "." not in parts[-1] and len(parts) > 1 else parts[-1]


def level(value: float | None) -> str:
    """A level or difference in dB to one decimal; a dash for none."""
    from jinja2 import Undefined

    if value is None or isinstance(value, Undefined):
        return "–"
    return f"{value:.1f}".replace("-", "−")


def ratio(value: float | None) -> str:
    """A ratio to three decimals; a dash for none."""
    return "–" if value is None else f"{value:.3f}"


def plain_hertz(value: float) -> str:
    """A frequency without its unit."""
    return hertz(value).removesuffix(" Hz")


def plot(report: Mapping[str, Any]) -> dict[str, Any]:
    """Places and styles of the lines in silence: one stem each, in the colour of its layer."""
    lines = report["silence"]["lines"]
    names = [layer["name"] for layer in report["layers"]]
    if not lines:
        return {"stems": []}
    nyquist = report["samplerate"] / 2
    highest = ceil(max(line["level_dbfs"] for line in lines) / 10) * 10
    quietest = min(line["level_dbfs"] for line in lines)
    lowest = max(floor(quietest / 10) * 10, highest - DRAWN)
    drawn = [line for line in lines if line["level_dbfs"] >= lowest]

    def x(frequency: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * frequency / nyquist, 2)

    def y(decibels: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (decibels - lowest) / (highest - lowest or 1), 2)

    stems = [
        {
            "x": x(line["frequency_hz"]),
            "y": y(line["level_dbfs"]),
            "style": _style(line["layers"], names),
            "title": f"{hertz(line['frequency_hz'])}, {level(line['level_dbfs'])} dBFS: "
            f"{listed(line['layers']) or 'no single layer'}",
        }
        for line in drawn
    ]
    step = 20 if highest - lowest > 60 else 10
    kilohertz = 5 if nyquist > 15000 else 2 if nyquist > 6000 else 1
    loudest = max(lines, key=lambda line: line["level_dbfs"])
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": RIGHT,
        "bottom": BOTTOM,
        "stems": stems,
        "lowest": lowest,
        "left_out": len(lines) - len(drawn),
        "legend": _legend(drawn, names),
        "levels": [
            {"at": y(one), "text": level(one).removesuffix(".0")}
            for one in range(highest, int(lowest) - 1, -step)
        ],
        "frequencies": [
            {"at": x(1000 * one), "text": str(one)}
            for one in range(0, int(nyquist / 1000) + 1, kilohertz)
        ],
        "description": f"Spectrum of the response to silence: {len(lines)} lines, the loudest at "
        f"{hertz(loudest['frequency_hz'])} with {level(loudest['level_dbfs'])} dBFS. The table of "
        "attribution has their levels by layer.",
    }


def _style(layers: list[str], names: list[str]) -> str:
    if not layers:
        return "nobody"
    if len(layers) > 1:
        return "several"
    return f"c{min(names.index(layers[0]), COLOURS - 1)}"


def _legend(lines: list[dict[str, Any]], names: list[str]) -> list[dict[str, str]]:
    texts: dict[str, dict[str, None]] = {}
    for line in lines:
        style = _style(line["layers"], names)
        text = {"several": "several layers", "nobody": "no single layer"}.get(style)
        texts.setdefault(style, {})[text or line["layers"][0]] = None
    return [{"style": style, "text": ", ".join(texts[style])} for style in sorted(texts)]


def sound(silence: Floats, samplerate: int) -> dict[str, Any] | None:
    """The loudest channel's period, repeated and amplified, as FLAC in a data URI, if audible."""
    moving = silence - silence.mean(axis=-1, keepdims=True)
    power = np.mean(moving**2, axis=-1)
    loudest = moving[int(np.argmax(power))]
    rms = 10 * float(np.log10(max(power.max(), 1e-300)))
    if rms < AUDIBLE_DBFS:
        return None
    peak = 20 * float(np.log10(PEAK / np.abs(loudest).max()))
    gain = min(TARGET_DBFS - rms, peak)
    count = int(SECONDS * samplerate)
    samples = np.resize(loudest, count) * 10 ** (gain / 20)
    return {"uri": flac(samples, samplerate), "seconds": SECONDS, "gain": gain}
