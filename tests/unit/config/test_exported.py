"""The schema and docs/config.md are written from the declared settings."""

import os
import subprocess
import sys

import jsonschema
import pytest
import yaml
from configurations import ROOT

DOCS = ROOT / "docs"


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
