"""Each model of a configuration is tried once, in a process that cannot hold up the plan."""

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from configurations import ROOT, changed

from upsampling import model_check
from upsampling.config.experiment import Experiment
from upsampling.errors import UserError

SCRIPTS = ROOT / "scripts"
OWN = """
from torch import nn

class Own(nn.Module):
    def __init__(self, in_channels, out_channels, stride, *, bias=True):
        super().__init__()
        {body}
"""


def check(config: dict, folder: Path) -> None:
    os.chdir(ROOT)
    model_check.check_models(Experiment(config), SCRIPTS, folder / "remembered.json")


@pytest.fixture(autouse=True)
def here():
    folder = Path.cwd()
    yield
    os.chdir(folder)


def test_a_verdict_is_remembered_until_the_models_change(tmp_path, monkeypatch, capsys):
    calls = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: (
        calls.append((args, options)), run(*args, **options))[1])  # fmt: skip
    few = changed("figures", changed("scale", "demo")["figures"])
    for seed in ([0], [0], [1]):
        check(few | {"seeds": seed}, tmp_path)
    assert len(calls) == 1
    check(changed("model/channels", 96), tmp_path)
    assert len(calls) == 2
    added = changed("variants/another", {"operator": "nearest", "options": {"kernel_size": 7}})
    check(few | {"variants": added["variants"]}, tmp_path)
    asked = json.loads(calls[-1][1]["input"])
    assert {entry["where"] for entry in asked["models"]} == {"variants.another"}
    assert "Checking the changed" in capsys.readouterr().err


HAAR = {"operator": "haar_wavelet"}
MISTAKES = [
    ("variants/nearest", HAAR | {"model": {"stride": 3}}, "variants.nearest: operator 'haar"),
    ("variants/nearest/options", {"kernel_size": 0}, "variants.nearest: operator 'nearest'"),
    (
        "figures/figure6/left",
        HAAR | {"signal": "ones", "stride": 3},
        "figures.figure6.left: operator 'haar_wavelet'",
    ),
    (
        "figures/replicas/following",
        [{"operator": "istft_head"}],
        "figures.replicas.following.0: operator 'istft_head'",
    ),
]


@pytest.mark.parametrize(("path", "value", "message"), MISTAKES)
def test_a_model_that_cannot_be_built_is_named_with_its_key(tmp_path, path, value, message):
    config = changed(path, value)
    with pytest.raises(UserError) as caught:
        check(config, tmp_path)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


ENDS = [
    ("import time; print('no name'); time.sleep(1000)", "did not end within"),
    ("import os; os._exit(7)", "ended with status 7"),
    ("import os; os._exit(0)", "ended with status 0"),
    ("import sys; sys.exit('no reason')", "SystemExit: no reason"),
    ("raise RuntimeError('line 1\\n line 2')", "line 1 line 2"),
]


@pytest.mark.parametrize(("body", "message"), ENDS)
def test_an_operator_that_ends_or_never_does_is_named(tmp_path, monkeypatch, body, message):
    if "sleep" in body:
        monkeypatch.setattr(model_check, "MAXIMUM_SECONDS", 30)
    path = tmp_path / "own.py"
    path.write_text(OWN.format(body=body))
    operator = {"where": "variants.own", "operator": f"{path}:Own", "options": {}, "stride": 4,
                "bias": True, "channels": [4, 2]}  # fmt: skip
    monkeypatch.setattr(model_check, "models", lambda experiment: [])
    monkeypatch.setattr(model_check, "operators", lambda experiment: [operator])
    experiment: Any = SimpleNamespace(published=[])
    with pytest.raises(UserError, match=f"variants.own: .*{message}"):
        model_check.check_models(experiment, SCRIPTS, tmp_path / "remembered")
    assert not (tmp_path / "remembered").exists()
