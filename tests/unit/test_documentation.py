"""The notebook runs and says what it stores; the pictures of the documentation are there."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from upsampling.config.model import DemucsLikeSettings
from upsampling.measures.from_waveform import measure
from upsampling.measures.from_weights import measure_layers
from upsampling.measures.shifts import measure_shifts
from upsampling.models import build
from upsampling.probes.model_output import model_output

DOCS = Path(__file__).parents[2] / "docs"
LARGEST_PICTURE = 150_000


def test_the_notebook_prints_what_it_stores():
    cells = json.loads((DOCS / "one_operator.ipynb").read_text())["cells"]
    space: dict[str, object] = {}
    printed = 0
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            exec("".join(cell["source"]), space)
        stored = "".join("".join(output["text"]) for output in cell["outputs"])
        assert stream.getvalue() == stored
        printed += stored.count("\n")
    assert printed == 4 + 9
    measured, predicted = space["measured"], space["predicted"]
    assert measured == pytest.approx(predicted, rel=1e-6)


def test_pictures_are_there_and_small():
    text = (DOCS / "artifacts.md").read_text()
    pictures = re.findall(r"!\[.+\]\((images/.+\.png)\)", text)
    assert len(pictures) == 6
    for picture in pictures:
        content = (DOCS / picture).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < LARGEST_PICTURE


def test_every_measure_is_explained():
    settings = DemucsLikeSettings(channels=2, depth=2, bottleneck="none")
    model = build(settings, 0)
    _, output, rate = model_output(model, "white_noise", 1, 0)
    records = [
        *measure(output, rate, [settings.stride] * settings.depth),
        *measure_layers(model.upsampling_layers),
        *measure_shifts(model, 0.5, 0),
    ]
    text = (DOCS / "artifacts.md").read_text()
    names = {record["measure"] for record in records}
    assert len(names) > 12
    assert not {name for name in names if f"`{name}`" not in text}


def test_links_lead_somewhere():
    text = (DOCS / "artifacts.md").read_text()
    for link in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", text):
        assert (DOCS / link).exists(), link
