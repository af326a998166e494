"""Audits of networks from the command line: JSON contract, gate, features, repairs."""

import json
from pathlib import Path

import pytest

from upsampling.audit import network_command
from upsampling.audit.command import main

ROOT = Path(__file__).parents[3]

NETWORKS = """
import torch
from torch import nn
from audited_networks import FunctionalUp, hifi_gan, seeded

def tonal():
    return seeded(lambda: hifi_gan((4, 5)))

def plain():
    return seeded(lambda: nn.Sequential(
        nn.Conv1d(6, 4, 3), FunctionalUp(4, 4), FunctionalUp(4, 5), nn.Conv1d(4, 1, 7)))

def rectified():
    # Held samples mixed, then rectified: their variance, and so their mean, has the period 4.
    return seeded(lambda: nn.Sequential(
        nn.Conv1d(6, 4, 3), FunctionalUp(4, 4), nn.ReLU(), FunctionalUp(4, 5), nn.Conv1d(4, 1, 7)))

def filters():
    return nn.Sequential(nn.Conv1d(2, 2, 3, padding=1))

def not_finite():
    class Broken(nn.Module):
        def __init__(self):
            super().__init__()
            self.up = nn.ConvTranspose1d(6, 1, 8, 4)
        def forward(self, x):
            return self.up(x / x.abs().max())
    return Broken()

def lazy():
    return nn.Sequential(nn.LazyConvTranspose1d(2, 8, 4))

def meta():
    return nn.Sequential(nn.ConvTranspose1d(4, 2, 8, 4, device="meta"))

def exiting():
    raise SystemExit(3)

def half_as_long():
    return nn.Sequential(
        nn.Conv1d(3, 3, 3, padding=1), nn.Upsample(scale_factor=1.5), nn.Conv1d(3, 1, 3))

def features(waveform, samplerate):
    frames = torch.from_numpy(waveform)[: len(waveform) // 20 * 20].reshape(-1, 20)
    return frames[:, :6].T.double().numpy()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    (folder / "nets.py").write_text(NETWORKS)
    return folder


@pytest.fixture(scope="module")
def report(folder):
    path = folder / "report.json"
    arguments = [f"{folder}/nets.py:tonal", "--samplerate", "24000", "--json", str(path)]
    assert main(["network", *arguments]) == 0
    return json.loads(path.read_text())


def test_the_contract_of_the_report(report):
    assert report["network"].endswith("nets.py:tonal")
    assert report["samplerate"] == 24000
    assert report["total_stride"] == 20
    for layer, stride, kernel, spacing in zip(
        report["layers"], (4, 5), (8, 10), (1200, 4800), strict=True
    ):
        assert (layer["stride"], layer["kernel_size"]) == (stride, kernel)
        assert layer["spacing_hz"] == pytest.approx(spacing)
        assert layer["imbalance"] > 0.1
        assert layer["imbalance_random"] == pytest.approx((stride - 1) ** 0.5)
    names = [layer["name"] for layer in report["layers"]]
    silence = report["silence"]
    for line in silence["lines"]:
        assert line["frequency_hz"] % 1200 == pytest.approx(0)
        assert line["level_dbfs"] <= silence["level_dbfs"] + 1e-9
        assert {*line["layers"]} <= {*names}
    power = sum(10 ** (line["level_dbfs"] / 10) for line in silence["lines"])
    assert 10 ** (silence["level_dbfs"] / 10) == pytest.approx(power, rel=1e-6)
    attribution = report["attribution"]
    assert attribution["combs_hz"] == pytest.approx([4800, 1200])
    assert list(attribution["flat"]) == names
    assert all(len(levels) == 2 for levels in [attribution["as_is"], *attribution["flat"].values()])
    assert report["constants"]["count"] == 12
    spread = report["constants"]["level_dbfs"]
    assert spread["minimum"] <= spread["median"] <= spread["maximum"]
    assert "In silence the network makes 10 lines" in report["verdict"]


def test_equal_calls_give_equal_reports(folder, report, capsys):
    path = folder / "again.json"
    arguments = [f"{folder}/nets.py:tonal", "--samplerate", "24000", "--json", str(path)]
    assert main(["network", *arguments]) == 0
    assert json.loads(path.read_text()) == report
    assert report["verdict"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "limit", "status"),
    [("tonal", "1.5", 1), ("tonal", "200", 0), ("plain", "1.5", 0), ("filters", "0", 0)],
)
def test_the_gate(folder, capsys, name, limit, status):
    arguments = [f"{folder}/nets.py:{name}", "--samplerate", "24000", "--fail-above", limit]
    assert main(["network", *arguments]) == status
    error = capsys.readouterr().err
    if status:
        assert "failed: the comb of 4800 Hz stands" in error
        assert "in silence, the limit is 1.5 dB: 6" in error
    else:
        assert error == ""


def test_the_gate_asks_noise_too(folder, capsys):
    """No constant makes a line there, and noise does."""
    arguments = [f"{folder}/nets.py:rectified", "--samplerate", "24000", "--fail-above", "1.5"]
    assert main(["network", *arguments]) == 1
    captured = capsys.readouterr()
    assert "Constant inputs give no line either." in captured.out
    assert captured.err.count("\n") == 1
    assert "the comb of 1200 Hz" in captured.err
    assert "in noise in the latent" in captured.err


def test_a_network_that_cannot_be_audited(folder, capsys):
    assert main(["network", f"{folder}/nets.py:not_finite", "--fail-above", "1"]) == 2
    captured = capsys.readouterr()
    assert captured.err.endswith("samples that are not finite\n")
    assert captured.out == ""


def test_help_says_what_runs_code(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["network", "--help"])
    assert stopped.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "a Python file and TorchScript run code" in text
    assert "ONNX and safetensors files are data" in text
    assert "exit status: 0; 1 if" in text


def test_features_let_sounds_in(folder):
    path = folder / "features.json"
    arguments = [f"{folder}/nets.py:tonal", "--input", "features", "--samplerate", "24000"]
    function = f"{folder}/nets.py:features"
    assert main(["network", *arguments, "--features", function, "--json", str(path)]) == 0
    found = json.loads(path.read_text())
    assert {"white_noise", "speech_like"} <= {*found["probes"]}
    for comb in found["combs"]:
        assert {*comb["excess_db"]} == {"silence", "constant", *found["probes"]}


@pytest.mark.parametrize("aim", ["silence", "sounds", "constants"])
def test_a_repaired_factory_reads_its_weights_back(folder, aim):
    weights, path = folder / f"{aim}.safetensors", folder / f"{aim}.json"
    arguments = ["network", f"{folder}/nets.py:tonal", "--samplerate", "24000"]
    arguments += ["--json", str(path)]
    assert main([*arguments, "--repair", str(weights), "--repair-for", aim]) == 0
    told = json.loads(path.read_text())["repair"]
    rows = {row["text"]: row for row in told["rows"]}
    silence = rows["level in silence (dBFS)"]
    assert silence["before"] > -60
    assert silence["after"] < silence["before"] - 100
    assert [layer["reason"] for layer in told["layers"]] == ["", ""]
    assert main([*arguments, "--weights", str(weights)]) == 0
    after = json.loads(path.read_text())
    assert after["silence"]["level_dbfs"] == pytest.approx(silence["after"], abs=0.5)
    constants = after["constants"]["level_dbfs"]["median"]
    assert (constants < -120) == (aim == "constants")


def test_what_cannot_be_repaired_is_said(folder, capsys):
    arguments = [f"{folder}/nets.py:plain", "--samplerate", "24000"]
    assert main(["network", *arguments, "--repair", str(folder / "p.safetensors")]) == 2
    assert "its filters are fixed" in capsys.readouterr().err
    assert not (folder / "p.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--html", "nets.py"], "--html nets.py: this file is read, and would be lost"),
        (["--json", "a", "--arrays", "./a"], "--arrays a: this file is that of --json, too"),
        (
            ["--weights", "w.safetensors", "--repair", "w.safetensors"],
            "--repair w.safetensors: this",
        ),
        (["--excerpts", "a.wav", "--repair", "r.safetensors"], "--repair-for sounds alone"),
    ],
)
def test_files_that_an_audit_reads_are_not_replaced(folder, monkeypatch, capsys, options, message):
    monkeypatch.chdir(folder)
    content = (folder / "nets.py").read_bytes()
    assert main(["network", "nets.py:tonal", *options]) == 2
    assert message in capsys.readouterr().err
    assert (folder / "nets.py").read_bytes() == content


def test_files_of_a_model_are_not_replaced(tmp_path, capsys):
    (tmp_path / "best.safetensors").write_bytes(b"weights")
    options = ["--repair", str(tmp_path / "best.safetensors")]
    assert main(["network", str(tmp_path), *options]) == 2
    assert "best.safetensors: this file is read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lazy", "0.weight has no values yet"),
        ("meta", "0.weight has no values yet"),
        ("exiting", "raised SystemExit(3)"),
    ],
)
def test_networks_that_are_not_ready_end_with_one_line(folder, capsys, name, message):
    assert main(["network", f"{folder}/nets.py:{name}"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_layer_that_lengthens_by_a_fraction_is_named(folder, capsys):
    assert main(["network", f"{folder}/nets.py:half_as_long", "--samplerate", "24000"]) == 0
    shown = capsys.readouterr().out
    assert "No layer was found that lengthens time by a whole number; the notes name" in shown
    assert "1 lengthens by 1.5, which is no whole number: it is not among the layers" in shown


def test_an_error_of_the_program_is_no_verdict(folder, capsys, monkeypatch):
    def broken(arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(network_command, "run", broken)
    assert main(["network", f"{folder}/nets.py:tonal"]) == 2
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--seed", "-1"], ["--samplerate", "1.5"], ["--length", "0"]])
def test_numbers_out_of_range_are_named(folder, capsys, options):
    with pytest.raises(SystemExit) as caught:
        main(["network", f"{folder}/nets.py:tonal", *options])
    assert caught.value.code == 2
    assert f"argument {options[0]}: '{options[1]}' is not a whole number from" in (
        capsys.readouterr().err
    )
