"""Entries of `audits`: options of the command, files, and mistakes in one line."""

import pytest
from configurations import CONFIG, changed

from upsampling.audit.command import parser
from upsampling.config.audits import Audit, repaired_suffix
from upsampling.config.experiment import Experiment
from upsampling.errors import UserError


def read(**entry: object) -> Audit:
    return Experiment(changed("audits", {"one": entry})).audits["one"]


@pytest.fixture
def file(tmp_path) -> str:
    path = tmp_path / "nets.py"
    path.touch()
    return str(path)


def test_an_entry_is_a_command_that_the_program_takes(file, tmp_path):
    (tmp_path / "w.safetensors").touch()
    audit = read(
        network=f"{file}:net",
        samplerate=22050,
        input="latent",
        channels=80,
        weights=str(tmp_path / "w.safetensors"),
        features=f"{file}:features",
        repair="sounds",
        excerpts=[file],
        seconds=1.5,
    )
    command = audit.command
    arguments = parser().parse_args([command["kind"], *command["options"], "--", *command["names"]])
    assert (arguments.network, arguments.samplerate) == (f"{file}:net", 22050)
    assert (arguments.input, arguments.channels, arguments.seconds) == ("latent", 80, 1.5)
    assert arguments.repair_for == "sounds"
    assert [str(one) for one in arguments.excerpts] == [file]
    assert command["repaired"] == "repaired.safetensors"
    assert audit.files == [file, str(tmp_path / "w.safetensors"), file, file]


def test_recordings_are_a_command_too(file):
    command = read(recordings=[file, file], strides=[8, 8, 4]).command
    arguments = parser().parse_args([command["kind"], *command["options"], "--", *command["names"]])
    assert [str(one) for one in arguments.files] == [file, file]
    assert arguments.strides == [8, 8, 4]


def test_the_scale_is_filled_in_and_a_trained_model_need_not_exist_yet():
    entry = {"network": "results/{scale}/models/transposed/seed0"}
    for scale in ("demo", "paper"):
        audit = Experiment(CONFIG | {"scale": scale, "audits": {"one": entry}}).audits["one"]
        assert audit.network == f"results/{scale}/models/transposed/seed0"
        assert audit.files == [
            f"results/{scale}/models/transposed/seed0/{name}"
            for name in ("best.safetensors", "spec.json")
        ]


@pytest.mark.parametrize(
    ("network", "suffix"), [("a.py:b", ".safetensors"), ("a.onnx", ".onnx"), ("a.pt", ".pt")]
)
def test_repaired_weights_keep_the_format(network, suffix):
    assert repaired_suffix(network) == suffix


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, ["audits.one", "either a network or recordings"]),
        ({"network": "a.onnx", "recordings": ["b"]}, ["either a network or recordings"]),
        ({"network": "missing.onnx"}, ["audits.one", "there is no file 'missing.onnx'"]),
        ({"network": "results/demo/models/none/seed0"}, ["no model is trained into"]),
        ({"network": "--help"}, ["audits.one.network", "does not begin with a dash"]),
        ({"network": "{other}.onnx"}, ["audits.one.network", "no braces but {scale}"]),
        ({"network": "a.onnx", "strides": [4]}, ["'strides' is not for an audit of a network"]),
        ({"recordings": ["a"], "repair": "silence"}, ["'repair' is not for an audit of a record"]),
        ({"recordings": ["a"], "strides": [4], "spacing": 9.0}, ["either strides or a spacing"]),
        ({"network": "a.onnx", "excerpts": ["b"]}, ["excerpts are for `repair: sounds`"]),
        ({"netwrok": "a.onnx"}, ["audits.one", "netwrok", "did you mean 'network'"]),
        ({"network": "a.onnx", "repair": "noise"}, ["audits.one.repair", "'noise'"]),
    ],
)
def test_mistakes_are_told_in_one_line(entry, words):
    with pytest.raises(UserError) as caught:
        read(**entry)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_names_are_those_of_folders():
    with pytest.raises(UserError, match="begins with a letter"):
        Experiment(changed("audits", {"../up": {"network": "a.onnx"}}))
