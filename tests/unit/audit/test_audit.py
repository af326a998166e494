"""The same network in any form gives the same report to rounding; waveforms are those measured."""

from pathlib import Path

import numpy as np
import pytest
import torch
from audit_results import audit_network, content
from audited_networks import (
    AutoEncoder,
    FunctionalUp,
    Shuffled,
    SpectralHead,
    Stuffed,
    hifi_gan,
    seeded,
    under_audit,
)
from noted import assert_noted, described, without_rounding
from torch import nn

from upsampling.audit.audit import audit, audit_arrays, respond_to_constants
from upsampling.audit.page import plot
from upsampling.audit.probing import AuditSettings
from upsampling.audit.verdict import advice, failures, text
from upsampling.networks.loading import Source, open_network
from upsampling.networks.network import Network
from upsampling.networks.torch_network import TorchNetwork
from upsampling.networks.upsamplers import find_structure

NOTED = Path(__file__).with_name("noted")
NO_ONNX = "onnx and onnxruntime are not installed (envs/audit.lock)"
# Levels of lines well above the rounding of single precision.
AUDIBLE_DB = -100.0
DECIBELS = 0.01
EXCESS_DB = 0.1


class Mixed(nn.Module):
    """One layer of each kind, with activations between: strides 4, 3 and 2."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(4, 8, 7, padding=3)
        self.up = nn.ConvTranspose1d(8, 4, 8, 4, padding=2)
        self.middle = FunctionalUp(4, 3)
        self.last = Shuffled(4, 2, 2)
        self.out = nn.Conv1d(2, 1, 7, padding=3)

    def forward(self, signal):
        signal = nn.functional.leaky_relu(self.up(self.first(signal)), 0.1)
        signal = nn.functional.leaky_relu(self.middle(signal), 0.1)
        return torch.tanh(self.out(nn.functional.leaky_relu(self.last(signal), 0.1)))


CASES = {
    "latent": (Mixed, 4, 32),
    "stereo audio": (lambda: AutoEncoder(2, (4, 5)), 2, 400),
}


def report_of(path: str, samplerate: int = 24000, kind: str | None = None) -> dict:
    _, structure, notes = open_network(Source(path, kind, samplerate, length=None))
    responses = respond_to_constants(structure)
    return audit(structure, responses, notes, settings=AuditSettings(seconds=1.0))


def module_report(module: nn.Module, channels: int, kind: str) -> dict:
    network: Network = TorchNetwork(module, "module", 24000, kind, channels)
    network.set_precision(torch.float64)
    structure = find_structure(network)
    responses = respond_to_constants(structure)
    return audit(structure, responses, settings=AuditSettings(seconds=1.0))


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    """A module's report, the module itself in single precision, and a folder for its forms."""
    build, channels, frames = CASES[request.param]
    kind = "audio" if channels == 2 else "latent"
    report = module_report(seeded(build), channels, kind)
    example = torch.zeros(1, channels, frames)
    return report, seeded(build).eval(), example, tmp_path_factory.mktemp("forms")


def audible_lines(report: dict) -> dict[float, dict]:
    lines = report["silence"]["lines"]
    return {line["frequency_hz"]: line for line in lines if line["level_dbfs"] > AUDIBLE_DB}


def same(found: dict, expected: dict, tolerance: float) -> None:
    """Equal numbers of layers, lines, matrix and combs."""
    for one, other in zip(found["layers"], expected["layers"], strict=True):
        for key in ("stride", "kernel_size", "spacing_hz"):
            assert one[key] == other[key]
        assert one["imbalance"] == pytest.approx(other["imbalance"], abs=1e-5)
        assert one["imbalance_random"] == other["imbalance_random"]
        assert one["weights"] == pytest.approx(other["weights"], abs=0.01)
    assert found["total_stride"] == expected["total_stride"]
    for key in ("level_dbfs", "constant_dbfs"):
        assert found["silence"][key] == pytest.approx(expected["silence"][key], abs=tolerance)
    lines = [audible_lines(one) for one in (found, expected)]
    assert lines[0].keys() == lines[1].keys()
    assert lines[0]
    names = dict(
        zip(
            [one["name"] for one in found["layers"]],
            [one["name"] for one in expected["layers"]],
            strict=True,
        )
    )
    for frequency, line in lines[0].items():
        other = lines[1][frequency]
        assert line["level_dbfs"] == pytest.approx(other["level_dbfs"], abs=tolerance)
        assert [names[one] for one in line["layers"]] == other["layers"]
    matrices = [
        np.maximum([one["attribution"]["as_is"], *one["attribution"]["flat"].values()], AUDIBLE_DB)
        for one in (found, expected)
    ]
    assert matrices[0] == pytest.approx(matrices[1], abs=tolerance)
    assert found["attribution"]["combs_hz"] == expected["attribution"]["combs_hz"]
    levels = expected["attribution"]["as_is"]
    for one, other, level in zip(found["combs"], expected["combs"], levels, strict=True):
        assert one["excess_db"] == pytest.approx(other["excess_db"], abs=EXCESS_DB)
        if level > AUDIBLE_DB:
            assert [names[name] for name in one["made_by"]] == other["made_by"]


@pytest.mark.parametrize("way", ["trace", "script"])
def test_torchscript_gives_the_modules_report(case, way):
    report, module, example, folder = case
    path = folder / f"{way}.pt"
    made = torch.jit.trace(module, example) if way == "trace" else torch.jit.script(module)
    torch.jit.save(made, path)
    found = report_of(str(path), kind=report["input"])
    assert found["precision"] == "float64"
    same(found, report, 1e-6)


def export(module: nn.Module, example: torch.Tensor, path, dynamo: bool) -> None:
    if dynamo:
        axes = {"dynamic_shapes": ({2: torch.export.Dim("time", min=8, max=1 << 20)},)}
    else:
        axes = {"dynamic_axes": {"z": {2: "time"}, "y": {2: "samples"}}}
    names = {"input_names": ["z"], "output_names": ["y"]}
    torch.onnx.export(module, (example,), path, dynamo=dynamo, verbose=False, **names, **axes)


@pytest.mark.parametrize("dynamo", [False, True])
def test_onnx_gives_the_modules_report(case, dynamo):
    pytest.importorskip("onnx", reason=NO_ONNX)
    pytest.importorskip("onnxruntime", reason=NO_ONNX)
    report, module, example, folder = case
    if dynamo:
        pytest.importorskip("onnxscript", reason="onnxscript is not installed (envs/audit.lock)")
        if report["input"] == "audio":
            pytest.skip("one network is enough for the other exporter")
    path = folder / f"{dynamo}.onnx"
    export(module, example, path, dynamo)
    found = report_of(str(path), kind=report["input"])
    assert found["precision"] == "float32"
    same(found, report, DECIBELS)


def test_names_are_those_of_the_modules(case):
    report, module, example, folder = case
    path = folder / "named.pt"
    torch.jit.save(torch.jit.trace(module, example), path)
    names = [layer["name"] for layer in report["layers"]]
    if report["input"] == "audio":
        assert names == ["decoder.1", "decoder.3"]
        assert [one["name"] for one in report_of(str(path))["layers"]] == names
    else:
        assert names == ["up", "middle", "last"]
        found = [one["name"] for one in report_of(str(path))["layers"]]
        assert found == ["up", "interpolation", "shuffle"]


@pytest.mark.parametrize(
    ("name", "build", "channels", "kind", "samplerate"),
    [
        ("vocoder", lambda: hifi_gan((4, 5)), 6, "latent", 44100),
        ("mixed", Mixed, 4, "latent", 24000),
        ("audio", lambda: AutoEncoder(2, (4, 2)), 2, "audio", 8000),
        ("spectral", lambda: nn.Sequential(nn.Conv1d(4, 8, 3), SpectralHead(8, 6, 24)), 4,
         "latent", 11025),
        ("stuffed", lambda: nn.Sequential(nn.Conv1d(4, 4, 3), Stuffed(4, 4)), 4, "latent", 32000),
        ("without layers", lambda: nn.Sequential(nn.Conv1d(4, 2, 3)), 4, "latent", 16000),
    ],
)  # fmt: skip
def test_whole_reports_are_those_that_were_noted(name, build, channels, kind, samplerate):
    _, structure = under_audit(seeded(build), channels, kind, samplerate)
    responses = respond_to_constants(structure)
    report = without_rounding(audit(structure, responses, settings=AuditSettings(seconds=1.0)))
    shown = {"advice": advice(report), "failures": failures(report, 3.0), "plot": plot(report)}
    lines = [*described(report), *described(shown), *text(report).splitlines()]
    assert_noted(NOTED / f"{name}.txt", lines)


# Sums of squares in double precision, in dB.
ROUNDING_DB = 1e-6


def lines_level(period: np.ndarray) -> float:
    """Level in dBFS of all that varies in one period [channels, samples]."""
    return 10 * np.log10(np.var(period, axis=-1).max())


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    repair = ["--repair", str(folder / "repaired.safetensors")]
    report, arrays = audit_network(folder, *repair)
    with np.load(arrays, allow_pickle=False) as stored:
        return content(report), dict(stored)


def test_periods_have_the_levels_of_the_report(audited):
    report, arrays = audited
    assert arrays["silence"].shape == (1, 20)
    silence = report["silence"]["level_dbfs"]
    assert lines_level(arrays["silence"]) == pytest.approx(silence, abs=ROUNDING_DB)
    levels = [lines_level(one) for one in arrays["constants"]]
    assert len(levels) == 12
    spread = report["constants"]["level_dbfs"]
    assert np.median(levels) == pytest.approx(spread["median"], abs=ROUNDING_DB)
    assert max(levels) == pytest.approx(spread["maximum"], abs=ROUNDING_DB)


def test_the_sound_is_the_response_to_noise(audited):
    report, arrays = audited
    level = 10 * np.log10(np.mean(arrays["sound"].astype(float) ** 2))
    noise = report["probes"]["latent_noise"]["level_dbfs"]
    # The stored samples are single precision.
    assert level == pytest.approx(noise, abs=1e-4)
    assert (arrays["samplerate"], arrays["sound"].dtype) == (24000, np.float32)
    assert [layer["operation"] for layer in report["layers"]] == ["conv_transpose1d"] * 2


def test_without_a_probe_there_is_no_sound():
    class Choosy(torch.nn.Module):
        """Takes constants alone."""

        def __init__(self):
            super().__init__()
            self.up = torch.nn.ConvTranspose1d(2, 1, 8, 4)

        def forward(self, signal):
            return self.up(signal / (signal == signal[..., :1]).all())

    _, structure = under_audit(seeded(Choosy), 2)
    responses = respond_to_constants(structure)
    arrays = audit_arrays(structure, responses, AuditSettings())
    assert arrays["sound"].shape == (0,)


def test_a_repair_adds_the_repaired_waveforms(audited):
    report, arrays = audited
    rows = {row["text"]: row["after"] for row in report["repair"]["rows"]}
    after = [lines_level(one) for one in arrays["constants_repaired"]]
    expected = rows["level for constants, median (dBFS)"]
    assert np.median(after) == pytest.approx(expected, abs=ROUNDING_DB)
    assert np.std(arrays["silence_repaired"]) < 1e-6 * np.std(arrays["silence"])
    assert arrays["sound_repaired"].shape == arrays["sound"].shape
