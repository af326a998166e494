"""Findings of an audit in words: one paragraph, advice, the gate's answer, and all as text."""

from collections.abc import Mapping, Sequence
from typing import Any

PROBE_NAMES = {
    "silence": "silence",
    "constant": "a constant",
    "white_noise": "white noise",
    "music": "music",
    "speech_like": "artificial speech",
    "latent_noise": "noise in the latent",
}
# An excess in dB from which a sentence says that a comb stands out of a probe's spectrum.
STANDS_OUT = 3.0
# Standard errors by which an excess must be above a limit: music has peaks of its own, and an audit
# asks of every comb in every probe.
ERRORS = 3.0

Report = Mapping[str, Any]


def verdict(report: Report) -> str:
    """One paragraph: lines in silence and for constants, their layers, and combs in noise."""
    if not report["layers"]:
        reason = (
            "; the notes name what does otherwise"
            if report.get("unexplained")
            else ", so nothing here makes the comb of an upsampler"
        )
        return f"No layer was found that lengthens time by a whole number{reason}."
    sentences = [_silence(report), *_constants(report), *_makers(report), *_sounds(report)]
    if not report["silence"]["settled"]:
        sentences.append(
            "The response to silence does not settle: neighbouring periods differ by "
            f"{report['silence']['difference_dbfs']:.0f} dBFS, and lower lines are not told."
        )
    return " ".join(sentences)


def hertz(frequency: float) -> str:
    """A frequency as people write it: 86.13 Hz, 5512.5 Hz, 11025 Hz."""
    return f"{frequency:.2f}".rstrip("0").rstrip(".") + " Hz"


def listed(names: Sequence[str]) -> str:
    """Names with commas and a last 'and'."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _silence(report: Report) -> str:
    silence = report["silence"]
    lines = silence["lines"]
    if not lines:
        floor = silence["floor_dbfs"]
        return f"In silence the network makes no line above its rounding ({floor:.0f} dBFS)."
    loudest = max(lines, key=lambda line: line["level_dbfs"])
    count = "one line" if len(lines) == 1 else f"{len(lines)} lines"
    return (
        f"In silence the network makes {count}, together at {silence['level_dbfs']:.1f} dBFS; the "
        f"loudest is {hertz(loudest['frequency_hz'])} at {loudest['level_dbfs']:.1f} dBFS."
    )


def _constants(report: Report) -> list[str]:
    levels, floor = report["constants"]["level_dbfs"], report["silence"]["floor_dbfs"]
    if levels["maximum"] <= floor:
        return ["Constant inputs give no line either."]
    if report["constants"]["count"] == 1:
        return [f"For a constant input the lines have {levels['median']:.1f} dBFS."]
    return [
        f"For {report['constants']['count']} random constants the lines have "
        f"{levels['median']:.1f} dBFS (median; {levels['minimum']:.1f} to "
        f"{levels['maximum']:.1f})."
    ]


def _makers(report: Report) -> list[str]:
    """Who makes each comb that has lines, the loudest comb first."""
    attribution, found = report["attribution"], []
    order = sorted(zip(attribution["as_is"], report["combs"], strict=True), key=lambda one: -one[0])
    for level, comb in order:
        if comb["made_by"] or level > report["silence"]["floor_dbfs"]:
            makers = listed(comb["made_by"]) or "no single layer"
            together = " together" if len(comb["made_by"]) > 1 else ""
            lines = f"{hertz(comb['spacing_hz'])} and its multiples ({level:.1f} dBFS)"
            found.append(f"{lines}: {makers}{together}.")
    return found


def _sounds(report: Report) -> list[str]:
    sentences = []
    for name, measured in report["probes"].items():
        out = [
            f"{hertz(comb['spacing_hz'])} by {comb['excess_db'][name]:.1f} dB"
            + (f" ({listed(makers)})" if makers else "")
            for comb, makers in zip(report["combs"], _sound_makers(report, measured), strict=True)
            if stands_out(comb, name, STANDS_OUT)
        ]
        if out:
            audible = any(tone["prominent"] for tone in measured["tones"])
            standard = "; ECMA-418-1 calls them prominent" if audible else ""
            sentences.append(
                f"In {PROBE_NAMES[name]} the comb stands out at {listed(out)}{standard}."
            )
    return sentences


def _sound_makers(report: Report, measured: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    return measured.get("made_by", [[]] * len(report["combs"]))


def stands_out(comb: Report, name: str, limit: float) -> bool:
    """True if a comb's excess in the input `name` is above `limit` in dB beyond chance."""
    excess, error = comb["excess_db"][name], comb["error_db"][name]
    return excess is not None and excess - ERRORS * error > limit


def failures(report: Report, limit: float) -> list[str]:
    """One sentence for each comb and input whose excess is above `limit` in dB."""
    found = []
    for place, comb in enumerate(report["combs"]):
        for name in [one for one in comb["excess_db"] if stands_out(comb, one, limit)]:
            measured = report["probes"].get(name, {})
            makers = _sound_makers(report, measured)[place] or comb["made_by"]
            found.append(
                f"the comb of {hertz(comb['spacing_hz'])} stands {comb['excess_db'][name]:.1f} dB "
                f"above its surroundings in {PROBE_NAMES[name]}, the limit is {limit:g} dB"
                + (f": {listed(makers)}" if makers else "")
            )
    return found


def advice(report: Report) -> list[str]:
    """Remedies for the lines that were found, a sentence each."""
    makers = {name for comb in report["combs"] for name in comb["made_by"]}
    layers = [one for one in report["layers"] if one["name"] in makers]
    if not layers:
        return ["Nothing needs to be done: no layer makes a line of a constant."]
    given = []
    if learnt := [one["name"] for one in layers if one["imbalance_random"]]:
        given = [
            f"Repair the weights of {listed(learnt)} without training: "
            "--repair OUT gives all phases of a layer the same answer to silence, writes the "
            "changed weights and reports the gain and loss for other sounds.",
            "Before training again, give those layers equal polyphase sums (all phases of a kernel "
            "alike, as in nearest-neighbour initialisation) and leave out the biases before them: "
            "tones that are not there at the beginning come back more weakly, but can come back.",
            "Or replace them: nearest-neighbour or linear interpolation and a convolution make no "
            "tone of a constant; they dull frequencies near multiples of the spacing, and the "
            "network must be trained again.",
        ]
    if spectral := [one["name"] for one in layers if one["imbalance"] is None]:
        given.append(
            f"{listed(spectral)} writes a signal of its own per frame: "
            "equal frames repeat with the hop. Phases that advance with time, or a loss on silent "
            "segments, take that comb away; its weights cannot be repaired in closed form."
        )
    return given


def text(report: Report) -> str:
    """The report for a terminal: its layers, its matrix and its verdict."""
    attribution = report["attribution"]
    heads = [f"{one:.5g} Hz" for one in attribution["combs_hz"]]
    width = max([11, *(len(layer["name"]) for layer in report["layers"])])
    rows = [f"{'layer':{width}}  stride  kernel  spacing, Hz  imbalance (random)"]
    for layer in report["layers"]:
        size = "-" if layer["kernel_size"] is None else layer["kernel_size"]
        ratio = "-"
        if layer["imbalance"] is not None:
            ratio = f"{layer['imbalance']:.3f} ({layer['imbalance_random']:.2f})"
        rows.append(
            f"{layer['name']:{width}}  {layer['stride']:6}  {size:>6}  {layer['spacing_hz']:11.5g}"
            f"  {ratio:>18}"
        )
    rows += ["", f"dBFS per comb, {attribution['input']}, as it is and with each layer flat:"]
    rows.append(" ".join([f"{'':{width}}", *(f"{head:>12}" for head in heads)]))
    for name, levels in [("as it is", attribution["as_is"]), *attribution["flat"].items()]:
        rows.append(" ".join([f"{name:{width}}", *(f"{level:12.1f}" for level in levels)]))
    rows += ["", report["verdict"], *report["notes"]]
    if report.get("repair"):
        rows += ["", report["repair"]["summary"]]
        rows += [
            f"{one['text']:55} {_number(one['before']):>8} {_number(one['after']):>8}"
            for one in report["repair"]["rows"]
        ]
    return "\n".join(rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
