"""Repairs: excerpts, targets, the table of before and after; models that this pipeline trained."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from audited_networks import SAMPLERATE, AutoEncoder, hifi_gan, seeded, under_audit
from noted import assert_noted, described, without_rounding

from upsampling.audit.audit import audit, respond_to_constants
from upsampling.audit.combs import total_level
from upsampling.audit.probing import AuditSettings
from upsampling.audit.repairing import (
    check_target,
    repair_network,
    repair_trained,
    summary,
    write_network,
)
from upsampling.audit.steady import settle
from upsampling.config.model import DemucsLikeSettings
from upsampling.config.operators import LEARNED_PHASES, OPTIONS
from upsampling.errors import UserError
from upsampling.files import checksum_path, is_intact, read_json, write_json
from upsampling.models import build
from upsampling.networks.loading import Source, open_network
from upsampling.training import checkpoint_file
from upsampling.training.checkpoints import load_model

NOTED = Path(__file__).with_name("noted")


def audited(module, channels, kind):
    network, structure = under_audit(module, channels, kind)
    responses = respond_to_constants(structure)
    settings = AuditSettings(seconds=1.0, probe=False)
    return network, structure, audit(structure, responses, settings=settings)


def test_excerpts_are_audio_or_arrays(tmp_path):
    _, structure, report = audited(seeded(lambda: AutoEncoder(2)), 2, "audio")
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "stereo.wav", rng.uniform(-1, 1, (70000, 2)), 44100)
    soundfile.write(tmp_path / "mono.flac", rng.uniform(-1, 1, 40000), 22050)
    # As short as can be.
    np.save(tmp_path / "array.npy", rng.uniform(-1, 1, (2, structure.length)))
    files = [tmp_path / name for name in ("stereo.wav", "mono.flac", "array.npy")]
    made = repair_network(structure, report, "sounds", files, AuditSettings(seconds=1.0))
    assert made["sounds"][:2] == ["silence", "white_noise"]
    assert made["sounds"][-3:] == [str(path) for path in files]
    assert made["rows"][0]["after"] < made["rows"][0]["before"] - 100


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("short.npy", "shorter than"),
        ("wrong.npy", r"is \[3, 70000\], not \[2, time\]"),
        ("nan.npy", "not finite"),
        ("objects.npy", "cannot be read as an array"),
        ("text.wav", "cannot be read as audio"),
        ("missing.wav", "cannot be read as audio"),
    ],
)
def test_excerpts_that_do_not_fit(tmp_path, name, reason):
    _, structure, report = audited(seeded(lambda: AutoEncoder(2)), 2, "audio")
    np.save(tmp_path / "short.npy", np.zeros((2, 100)))
    np.save(tmp_path / "wrong.npy", np.zeros((3, 70000)))
    np.save(tmp_path / "nan.npy", np.full((2, 70000), np.nan))
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    (tmp_path / "text.wav").write_text("no audio at all")
    with pytest.raises(UserError, match=reason):
        repair_network(structure, report, "sounds", [tmp_path / name])


def test_latents_need_features_to_read_audio(tmp_path):
    _, structure, report = audited(seeded(lambda: hifi_gan((4, 4))), 6, "latent")
    soundfile.write(tmp_path / "a.wav", np.zeros(4000), 44100)
    with pytest.raises(UserError, match="needs --features"):
        repair_network(structure, report, "sounds", [tmp_path / "a.wav"])


def test_latents_are_features_of_the_mean_of_audio_channels(tmp_path):
    """They count in the repair: other features give other weights."""
    samples = np.random.default_rng(0).uniform(-1, 1, (60000, 2))
    soundfile.write(tmp_path / "a.wav", samples, SAMPLERATE, subtype="DOUBLE")
    given = []

    def features(mono, samplerate):
        given.append((mono, samplerate))
        return np.lib.stride_tricks.sliding_window_view(mono, 6)[::60].T

    made = []
    for paths in ([], [tmp_path / "a.wav"]):
        _, structure, report = audited(seeded(lambda: hifi_gan((4, 5))), 6, "latent")
        settings = AuditSettings(seconds=1.0, features=features)
        made.append(repair_network(structure, report, "sounds", paths, settings))
    mono, samplerate = given[-1]
    np.testing.assert_allclose(mono, samples.mean(axis=1), atol=1e-12)
    assert samplerate == SAMPLERATE
    assert made[0]["layers"] != made[1]["layers"]


@pytest.mark.parametrize("aim", ["silence", "sounds", "constants"])
def test_whole_repairs_are_those_that_were_noted(aim):
    _, structure, report = audited(seeded(lambda: hifi_gan((4, 5))), 6, "latent")
    made = repair_network(structure, report, aim, settings=AuditSettings(seconds=1.0))
    # The summary has a level of rounding.
    kept = {key: made[key] for key in ("sounds", "layers", "rows")}
    assert_noted(NOTED / f"repair for {aim}.txt", described(without_rounding(kept)))


def test_torchscript_is_repaired_and_written(tmp_path):
    path, target = tmp_path / "net.pt", tmp_path / "repaired.pt"
    module = torch.jit.trace(seeded(lambda: hifi_gan((4, 4))), torch.zeros(1, 6, 20))
    torch.jit.save(module, path)
    network, structure, _ = open_network(Source(str(path), samplerate=8000))
    responses = respond_to_constants(structure)
    report = audit(structure, responses, settings=AuditSettings(probe=False))
    repair_network(structure, report, "silence", settings=AuditSettings(seconds=1.0))
    write_network(network, target)
    _, other, _ = open_network(Source(str(target), samplerate=8000))
    level = total_level(settle(other, np.zeros(6)).period)
    assert level < report["silence"]["level_dbfs"] - 100
    stored = torch.jit.load(target)
    assert {one.dtype for one in stored.parameters()} == {torch.float32}
    # Under audit, the network goes on in double precision.
    assert {one.dtype for one in network.module.parameters()} == {torch.float64}


@pytest.mark.parametrize(
    ("network", "good", "bad"),
    [
        ("a.onnx", "b.onnx", "b.pt"),
        ("a.pt", "b.pt", "b.onnx"),
        ("f.py:g", "b.safetensors", "b.npz"),
        ("folder", "b.safetensors", "b"),
    ],
)
def test_the_target_has_the_ending_of_what_is_written(tmp_path, network, good, bad):
    check_target(tmp_path / good, network)
    with pytest.raises(UserError, match="is written as"):
        check_target(tmp_path / bad, network)


def test_a_target_that_cannot_be_written(tmp_path):
    network, _ = under_audit(seeded(lambda: hifi_gan((4,))), 6)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_network(network, tmp_path / "file" / "w.safetensors")


def test_the_summary_says_what_was_left():
    from upsampling.audit.repair import Change

    rows = [{"before": -50.0, "after": -160.0}]
    text = summary([Change("a", -30.0), Change("b", None, "its filters are fixed")], rows)
    assert "1 layer changed" in text
    assert "-30 dB" in text
    assert "from -50.0 to -160.0 dBFS" in text
    assert "b, its filters are fixed" in text


# The rounding of single-precision weights.
SINGLE_DB = -150.0
FILES = ("best.safetensors", "spec.json", "repair.json")


def stored_model(folder: Path, operator: str = "transposed", depth: int = 2, **settings) -> Path:
    """A model with random weights, stored as training stores one."""
    model = DemucsLikeSettings(operator=operator, channels=4, depth=depth, **settings)
    folder.mkdir()
    spec = {"model": asdict(model), "seed": 3, "parameters": 5}
    checkpoint_file.save(folder / "best.safetensors", build(model, 3).state_dict(), spec)
    write_json(folder / "spec.json", spec)
    return folder


def loudest_line(folder: Path, constant: float = 0.0) -> float:
    """Level in dBFS of the loudest line in a steady output, by the DFT of 64 whole periods."""
    model = load_model(folder).double()
    with torch.no_grad():
        output = model(torch.full((1, 2, model.input_length(30000)), constant).double())
    period = int(np.prod(model.settings.strides))
    middle = output.shape[-1] // 2
    samples = output.reshape(-1, output.shape[-1])[:, middle : middle + 64 * period].numpy()
    amplitudes = 2 * np.abs(np.fft.rfft(samples, axis=-1)[:, 1:]) / samples.shape[-1]
    return 20 * np.log10(max(amplitudes.max(), 1e-15))


@pytest.mark.parametrize("operator", ["transposed", "subpixel"])
def test_a_repaired_model_is_silent_in_silence_and_little_changed(tmp_path, operator):
    folder = stored_model(tmp_path / "model", operator, depth=3)
    repaired = repair_trained(folder, "silence", tmp_path / "repaired")
    assert loudest_line(folder) > -80
    assert loudest_line(tmp_path / "repaired") < SINGLE_DB
    before = load_model(folder).state_dict()
    after = load_model(tmp_path / "repaired").state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(".upsampler." in name for name in changed)
    for layer in repaired["layers"]:
        weight = f"{layer['name'].removesuffix('.convolution')}.convolution.weight"
        difference = float((after[weight] - before[weight]).norm() / before[weight].norm())
        assert difference < 10 ** (-6 / 20)
        assert layer["change_db"] == pytest.approx(20 * np.log10(difference), abs=0.01)


def test_no_comb_is_left_in_any_constant(tmp_path):
    folder = stored_model(tmp_path / "model")
    repair_trained(folder, "silence", tmp_path / "silence")
    repair_trained(folder, "constants", tmp_path / "constants")
    assert loudest_line(tmp_path / "silence", 0.3) > SINGLE_DB + 30
    assert loudest_line(tmp_path / "constants", 0.3) < SINGLE_DB


def test_its_files_are_those_of_a_model_and_the_same_each_time(tmp_path):
    folder = stored_model(tmp_path / "model")
    repaired = repair_trained(folder, "sounds", tmp_path / "first")
    repair_trained(folder, "sounds", tmp_path / "second")
    for name in FILES:
        first, second = tmp_path / "first" / name, tmp_path / "second" / name
        assert first.read_bytes() == second.read_bytes()
        assert is_intact(first)
    for name in FILES[1:]:
        assert checksum_path(tmp_path / "first" / name).is_file()
    spec = read_json(tmp_path / "first" / "spec.json")
    assert spec == read_json(folder / "spec.json") | {"repair": "sounds"}
    assert read_json(tmp_path / "first" / "repair.json") == repaired
    assert repaired["sounds"][:2] == ["silence", "white_noise"]
    weights = load_model(tmp_path / "first").state_dict()
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    untrained = load_model(tmp_path / "first", "initialised").state_dict()
    for name, tensor in load_model(folder, "initialised").state_dict().items():
        assert torch.equal(untrained[name], tensor)


@pytest.mark.parametrize("operator", sorted(set(OPTIONS) - {"istft_head"}))
def test_the_operators_that_can_be_repaired_are_those_of_the_configuration(tmp_path, operator):
    folder = stored_model(tmp_path / "model", operator, bottleneck="none")
    if operator in LEARNED_PHASES:
        layers = repair_trained(folder, "silence", tmp_path / "repaired")["layers"]
        assert [layer["reason"] for layer in layers] == ["", ""]
        return
    with pytest.raises(UserError) as caught:
        repair_trained(folder, "silence", tmp_path / "repaired")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "repaired").exists()


def test_the_reason_for_no_repair_is_told(tmp_path):
    folder = stored_model(tmp_path / "model", "nearest")
    with pytest.raises(UserError, match=r"model: No layer could be repaired \(.*are fixed\)"):
        repair_trained(folder, "silence", tmp_path / "repaired")
    with pytest.raises(UserError, match=r"is no model of this pipeline: it has no best"):
        repair_trained(tmp_path, "silence", tmp_path / "repaired")
