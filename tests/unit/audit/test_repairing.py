"""A repair from the command line: excerpts, targets, and the table of before and after."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from audited_networks import SAMPLERATE, AutoEncoder, hifi_gan, seeded, under_audit
from noted import assert_noted, described, without_rounding

from upsampling.audit.audit import AuditSettings, audit, respond_to_constants
from upsampling.audit.combs import total_level
from upsampling.audit.repairing import check_target, repair_network, summary, write_network
from upsampling.audit.steady import settle
from upsampling.errors import UserError
from upsampling.networks.loading import Source, open_network

NOTED = Path(__file__).with_name("noted")


def audited(module, channels, kind):
    network, structure = under_audit(module, channels, kind)
    responses = respond_to_constants(network, structure)
    settings = AuditSettings(seconds=1.0, probe=False)
    return network, structure, audit(network, structure, responses, settings=settings)


def test_excerpts_are_audio_or_arrays(tmp_path):
    network, structure, report = audited(seeded(lambda: AutoEncoder(2)), 2, "audio")
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "stereo.wav", rng.uniform(-1, 1, (70000, 2)), 44100)
    soundfile.write(tmp_path / "mono.flac", rng.uniform(-1, 1, 40000), 22050)
    # As short as can be.
    np.save(tmp_path / "array.npy", rng.uniform(-1, 1, (2, structure.length)))
    files = [tmp_path / name for name in ("stereo.wav", "mono.flac", "array.npy")]
    made = repair_network(network, structure, report, "sounds", files, None, seconds=1.0)
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
    network, structure, report = audited(seeded(lambda: AutoEncoder(2)), 2, "audio")
    np.save(tmp_path / "short.npy", np.zeros((2, 100)))
    np.save(tmp_path / "wrong.npy", np.zeros((3, 70000)))
    np.save(tmp_path / "nan.npy", np.full((2, 70000), np.nan))
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    (tmp_path / "text.wav").write_text("no audio at all")
    with pytest.raises(UserError, match=reason):
        repair_network(network, structure, report, "sounds", [tmp_path / name], None)


def test_latents_need_features_to_read_audio(tmp_path):
    network, structure, report = audited(seeded(lambda: hifi_gan((4, 4))), 6, "latent")
    soundfile.write(tmp_path / "a.wav", np.zeros(4000), 44100)
    with pytest.raises(UserError, match="needs --features"):
        repair_network(network, structure, report, "sounds", [tmp_path / "a.wav"], None)


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
        network, structure, report = audited(seeded(lambda: hifi_gan((4, 5))), 6, "latent")
        made.append(
            repair_network(network, structure, report, "sounds", paths, features, seconds=1.0)
        )
    mono, samplerate = given[-1]
    np.testing.assert_allclose(mono, samples.mean(axis=1), atol=1e-12)
    assert samplerate == SAMPLERATE
    assert made[0]["layers"] != made[1]["layers"]


@pytest.mark.parametrize("aim", ["silence", "sounds", "constants"])
def test_whole_repairs_are_those_that_were_noted(aim):
    network, structure, report = audited(seeded(lambda: hifi_gan((4, 5))), 6, "latent")
    made = repair_network(network, structure, report, aim, [], None, seconds=1.0)
    # The summary has a level of rounding.
    kept = {key: made[key] for key in ("sounds", "layers", "rows")}
    assert_noted(NOTED / f"repair for {aim}.txt", described(without_rounding(kept)))


def test_torchscript_is_repaired_and_written(tmp_path):
    path, target = tmp_path / "net.pt", tmp_path / "repaired.pt"
    module = torch.jit.trace(seeded(lambda: hifi_gan((4, 4))), torch.zeros(1, 6, 20))
    torch.jit.save(module, path)
    network, structure, _ = open_network(Source(str(path), samplerate=8000))
    responses = respond_to_constants(network, structure)
    report = audit(network, structure, responses, settings=AuditSettings(probe=False))
    repair_network(network, structure, report, "silence", [], None, seconds=1.0)
    write_network(network, target)
    again, other, _ = open_network(Source(str(target), samplerate=8000))
    level = total_level(settle(again, other, np.zeros(6)).period)
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
