"""The notebook runs and says what it stores; the pictures of the documentation are there."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from upsampling.config.model import DemucsLikeSettings
from upsampling.measures.from_waveform import measure_waveform
from upsampling.measures.from_weights import measure_layers
from upsampling.measures.shifts import measure_shifts
from upsampling.models import build
from upsampling.probes.model_output import model_output

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
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
        *measure_waveform(output, rate, [settings.stride] * settings.depth),
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


def test_declared_settings_are_exported(tmp_path):
    paths = {"schema": ROOT / "schemas/config.schema.yaml", "page": DOCS / "config.md"}
    arguments = [text for name in paths for text in (f"--{name}", str(tmp_path / name))]
    subprocess.run(
        [sys.executable, DOCS / "export_settings.py", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT / "scripts")},
        check=True,
    )
    for name, path in paths.items():
        assert path.read_text() == (tmp_path / name).read_text(), "run `make settings`"


def test_the_schema_accepts_the_configuration_and_refuses_an_unknown_key():
    schema = yaml.safe_load((ROOT / "schemas" / "config.schema.yaml").read_text())
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(config, schema)
    for section in ("model", "training", "probes"):
        wrong = config | {section: {**config[section], "unknown": 1}}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
