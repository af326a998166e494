"""Mistakes that no single key shows are told before any job starts."""

import inspect

import pytest
from configurations import CONFIG, changed

from upsampling.config import plausibility
from upsampling.config.experiment import Experiment
from upsampling.errors import UserError
from upsampling.measures import from_waveform, spectra
from upsampling.theory import operator_spectra, replicas


def refused(config) -> str:
    with pytest.raises(UserError) as caught:
        Experiment(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_lengths_are_those_of_the_spectra():
    assert plausibility.MEASURED_POINTS == from_waveform.N_FFT
    assert plausibility.SPECTROGRAM_POINTS == spectra.N_FFT
    assert plausibility.THEORY_POINTS == operator_spectra.N_FFT == replicas.N_FFT
    points = inspect.signature(spectra.mean_spectrum).parameters["n_fft"].default
    assert points == plausibility.MEASURED_POINTS


def test_two_rows_of_one_name_are_refused():
    label = CONFIG["variants"]["linear"]["table_label"]
    message = refused(changed("variants/nearest/table_label", label))
    assert message.startswith("variants.linear.table_label: ")
    assert "is that of variants.nearest, too" in message
    message = refused(changed("literature/0/table_label", label))
    assert message.startswith("literature.0.table_label: ")


def test_two_panels_of_one_name_are_refused():
    assert "figure_title" in refused(changed("variants/sinc/figure_title", "Stretch"))


@pytest.mark.parametrize(
    ("path", "value", "key", "samples"),
    [
        ("probes/seconds", 0.3, "probes.seconds", 8192),
        ("scales/demo/init_statistics/seconds", 0.1, "init_statistics.seconds", 8192),
        ("initialisation/seconds", 0.05, "initialisation.seconds", 2048),
        ("figures/figure6/left/seconds", 0.5, "figures.figure6.left.seconds", 2048),
        ("figures/operator_spectra/seconds", 0.01, "figures.operator_spectra.seconds", 4096),
        ("figures/replicas/seconds", 0.01, "figures.replicas.seconds", 4096),
    ],
)
def test_signals_that_are_too_short_are_refused(path, value, key, samples):
    config = changed(path, value)
    message = refused(config)
    assert message.startswith(f"{key}: {value:g} s are too short at ")
    least = float(message.rpartition(" ")[2])
    rate = int(message.split(" Hz")[0].rpartition(" ")[2])
    assert least == pytest.approx(samples / rate, rel=0.005)
    Experiment(changed(path, least * 1.01))


def test_an_epoch_without_a_batch_is_refused():
    message = refused(changed("scales/demo/training/examples_per_epoch", 1))
    assert "1 examples_per_epoch are less than a batch of 2" in message


@pytest.mark.parametrize("inside", ["train", "train/song", "test"])
def test_a_root_that_is_a_level_too_deep_is_refused(tmp_path, inside):
    for name in ("train/song", "test/song"):
        (tmp_path / name).mkdir(parents=True)
    data = {"dataset": "musdb18hq", "root": str(tmp_path / inside)}
    message = refused(changed("scales/demo/data", data))
    assert message.startswith("scales.demo.data.root: ")
    assert message.endswith(str(tmp_path))
    Experiment(changed("scales/demo/data", data | {"root": str(tmp_path)}))
    Experiment(changed("scales/demo/data", data | {"root": str(tmp_path / "new")}))


def test_a_root_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    data = {"dataset": "musdb18hq", "root": str(tmp_path / "file")}
    assert "is a file; name a folder" in refused(changed("scales/demo/data", data))


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    data = Experiment(changed("scales/demo/data/root", "~/songs")).data
    assert (data.root, data.store) == (f"{tmp_path}/songs", f"{tmp_path}/songs/store")
