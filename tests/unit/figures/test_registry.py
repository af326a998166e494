"""All figures by name: the paper's are there, mistakes are named, the program is reproducible."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from figure_drawing import draw, write_stack
from torch import nn

from upsampling.errors import UserError
from upsampling.figures.registry import FIGURES
from upsampling.files import load_arrays, save_arrays

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("stack") / "stack.npz"
    return write_stack(path, lambda: nn.ConvTranspose1d(1, 1, 4, stride=2), "ones")


def test_every_figure_of_the_paper_has_an_entry():
    assert {f"figure{number}" for number in range(1, 11)} < set(FIGURES)


@pytest.mark.parametrize(
    ("name", "settings", "inputs", "message"),
    [
        ("figure11", {}, 0, r"unknown figure 'figure11' \(did you mean 'figure1"),
        ("figure8", {"flor": -90}, 2, r"figure8\.flor: unknown key 'flor' .*did you mean 'floor'"),
        ("figure8", {}, 1, "figure8: 2 input files needed, 1 given"),
        ("figure2", {}, 1, "figure2: 0 input files needed, 1 given"),
        ("variant", {}, 0, "variant: no panels"),
        ("variant", {"panels": [{"name": "a"}]}, 1, "no array 'input'"),
        ("variant", {"panels": [{"name": "a", "floor": "low"}]}, 1, r"variant\.panels\.0\.floor"),
    ],
)
def test_mistakes_are_told_in_one_line(stack, tmp_path, name, settings, inputs, message):
    with pytest.raises(UserError, match=message):
        draw(tmp_path, name, [stack] * inputs, **settings)
    assert not list(tmp_path.iterdir())


def test_arrays_of_other_shapes_are_told_with_their_file(stack, tmp_path):
    other = tmp_path / "other.npz"
    save_arrays(other, {name: np.zeros((2, 2, 2)) for name in load_arrays(stack)})
    message = rf"{other} has content that does not fit: \w+Error: .*; delete it and run"
    with pytest.raises(UserError, match=message) as error:
        draw(tmp_path / "figure", "figure8", [stack, other])
    assert "\n" not in str(error.value)


def test_settings_are_merged_over_the_defaults(stack, tmp_path):
    first, other = (draw(tmp_path, "figure2", [], seed=seed)["a"] for seed in (2, 5))
    default = draw(tmp_path, "figure2", [])["a"]
    assert (default["weights"] == first["weights"]).all()
    assert not (default["weights"] == other["weights"]).any()


def test_the_program_writes_the_same_bytes_in_another_process(stack, tmp_path):
    draw(tmp_path / "here", "figure8", [stack, stack], floor=-90)
    folder = tmp_path / "there"
    command = [
        *(sys.executable, ROOT / "scripts" / "draw_figure.py", "figure8"),
        *("--settings", json.dumps({"floor": -90}), "--inputs", stack, stack),
        *("--pdf", folder / "figure8.pdf", "--png", folder / "figure8.png"),
        *("--arrays", folder / "arrays" / "figure8_{panel}.npz"),
    ]
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run(list(map(str, command)), env=environment, check=True, capture_output=True)
    files = [path.relative_to(folder) for path in folder.rglob("figure8*.*") if path.is_file()]
    files = [path for path in files if not path.parent.name.startswith(".")]
    assert len(files) == 2 + 8
    for file in files:
        assert (folder / file).read_bytes() == (tmp_path / "here" / file).read_bytes(), file


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--settings", "[1]"], "error: --settings: an object of settings is needed"),
        (["--inputs", "missing.npz"], "error: --inputs: there is no file 'missing.npz'"),
    ],
)
def test_the_program_names_mistakes(arguments, message, tmp_path):
    paths = ["--pdf", tmp_path / "f.pdf", "--png", tmp_path / "f.png", "--arrays", "f_{panel}.npz"]
    command = [sys.executable, ROOT / "scripts" / "draw_figure.py", "figure3", *paths, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(message)


def test_defaults_are_those_of_the_papers_figures():
    """Figs. 2-4: length 3 at strides 3, 2 and 1. Figs. 1 and 9: two columns of lettered panels."""
    shapes = {
        name: [FIGURES[name][1][key] for key in ("kernel_size", "stride", "inputs")]
        for name in ("figure2", "figure3", "figure4")
    }
    assert shapes == {"figure2": [3, 3, 5], "figure3": [3, 2, 6], "figure4": [3, 1, 7]}
    assert FIGURES["figure2"][1]["seed"] == 2
    for name in ("figure1", "figure9"):
        assert (FIGURES[name][1]["letters"], FIGURES[name][1]["columns"]) == (True, 2)
    assert FIGURES["variant"][1] == {"columns": 1}
    # MelGAN's output is by far the faintest.
    assert [panel.get("floor") for panel in FIGURES["figure1"][1]["panels"]] == [-200, *[None] * 3]
