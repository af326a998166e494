"""The report as text for a terminal."""

from collections.abc import Mapping
from typing import Any


def text(report: Mapping[str, Any]) -> str:
    """The report for a terminal: its layers, its matrix and its verdict."""
    attribution = report["attribution"]
    heads = [f"{one:.5g} Hz" for one in attribution["combs_hz"]]
    width = max([len(layer["name"]) for layer in report["layers"]] + [11])
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
