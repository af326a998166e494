"""Scoring a model on a store: complete, resumable, and explicit about tracks without a score."""

import dataclasses
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from noise_tracks import named

from upsampling.config.model import DemucsLikeSettings, model_settings
from upsampling.config.sections import EvaluationSettings
from upsampling.errors import UserError
from upsampling.files import read_json, sha256, write_json
from upsampling.models import build
from upsampling.scoring import score_files
from upsampling.scoring.bsseval import METRICS, WHOLE_TRACK, evaluate
from upsampling.scoring.scoring_job import ScoringJob, run_in_threads, summary
from upsampling.scoring.separation import separate
from upsampling.tracks.store import MANIFEST, STEMS, Track, TrackStore, manifest
from upsampling.training import checkpoint_file
from upsampling.training.checkpoints import load_model

RATE = 1000
SCRIPTS = Path(__file__).parents[3] / "scripts"
SETTINGS = EvaluationSettings(
    metrics=("SDR",), segment_seconds=1.5, overlap=0.25, excerpt_seconds=1.2
)
TRACKS = {"one/two": "demo", "Silent vocals": "demo", "Falcon 69": "real"}


def make_store(root: Path) -> TrackStore:
    """A store of three test tracks of noise, the second with silent vocals."""
    root.mkdir()
    tracks = []
    for index, (name, origin) in enumerate(TRACKS.items()):
        rng = np.random.default_rng(index)
        sources = rng.normal(0, 2000, (4, 3300, 2)).astype(np.int16)
        if name == "Silent vocals":
            sources[3] = 0
        stems = np.concatenate([sources.sum(axis=0, keepdims=True, dtype=np.int16), sources])
        path = root / f"track{index}.npy"
        np.save(path, stems)
        tracks.append(
            Track(
                name=name,
                file=path.name,
                split="test",
                samples=3300,
                bytes=path.stat().st_size,
                sha256=sha256(path),
                mixture="linear",
                mixture_scale=1.0,
                origin=origin,
            )
        )
    write_json(root / MANIFEST, manifest(RATE, tracks))
    return TrackStore.open(root)


def make_model(folder: Path, seed: int = 0) -> Path:
    """A small Demucs-like model with random weights, stored as training stores one."""
    settings = DemucsLikeSettings(channels=4, depth=2, options={"kernel_size": 8}, samplerate=RATE)
    folder.mkdir(parents=True, exist_ok=True)
    model = build(settings, seed)
    spec = {"model": dataclasses.asdict(settings), "seed": seed}
    checkpoint_file.save(folder / "best.safetensors", model.state_dict(), spec)
    write_json(folder / "spec.json", spec)
    return folder


@pytest.fixture
def job(tmp_path: Path) -> ScoringJob:
    return ScoringJob(
        make_model(tmp_path / "models" / "nearest" / "seed0"),
        make_store(tmp_path / "store"),
        SETTINGS,
        tmp_path / "scores",
        audio=tmp_path / "audio",
    )


def recomputed(job: ScoringJob, **changes: Any) -> set[str]:
    """Run a new job with `changes`; return the tracks that were scored again."""
    before = {name: times(job, name) for name in TRACKS}
    changed = dataclasses.replace(job, **changes)
    changed.run()
    return {name for name in TRACKS if times(changed, name) != before[name]}


def times(job: ScoringJob, name: str) -> tuple[int, int] | None:
    """Time and inode of a track's fingerprint, which a new score changes."""
    path = job.fingerprint_path(named(job.store, name))
    return (path.stat().st_mtime_ns, path.stat().st_ino) if path.exists() else None


def test_scores_are_those_of_separation_and_bsseval(job: ScoringJob) -> None:
    job = dataclasses.replace(job, settings=dataclasses.replace(SETTINGS, metrics=METRICS))
    scores = job.run()
    assert list(scores.columns) == score_files.SCORE_COLUMNS
    model, track = load_model(job.model_folder), named(job.store, "one/two")
    estimates = separate(
        model, job.store.mixture(track), segment_seconds=1.5, overlap=0.25, samplerate=RATE
    )
    references = job.store.references(track)
    expected = evaluate(references.swapaxes(1, 2), estimates.swapaxes(1, 2), RATE)
    rows = scores[scores["track"] == "one/two"]
    assert set(rows["origin"]) == {"demo"}
    assert list(expected) == [*METRICS, WHOLE_TRACK] == list(dict.fromkeys(rows["metric"]))
    for metric, values in expected.items():
        table = rows[rows["metric"] == metric].pivot(
            index="source", columns="frame", values="value"
        )
        np.testing.assert_array_equal(table.loc[list(job.store.sources)].to_numpy(), values)
    assert summary(scores, job.store.sources).count(" tracks: 1)") == 2


def test_workers_change_nothing_but_the_order(
    job: ScoringJob, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    alone = job.run()
    capsys.readouterr()
    together = dataclasses.replace(job, folder=tmp_path / "together", workers=3)
    pd.testing.assert_frame_equal(together.run(), alone)
    shown = capsys.readouterr().err
    assert [f"track {n} of 3" in shown for n in (1, 2, 3)] == [True] * 3
    assert all(f" s: {name}\n" in shown for name in TRACKS)
    (together.folder / "one%2Ftwo.csv").unlink()
    together.run()
    shown = capsys.readouterr().err
    assert "2 tracks are scored already" in shown
    assert "track 1 of 1" in shown


def test_a_failing_track_ends_the_job(job: ScoringJob, monkeypatch) -> None:
    """The scores of tracks that were done stay; the next run continues with the others."""
    # The file disappears after the store was verified.
    monkeypatch.setattr(TrackStore, "verify", lambda *_: None)
    (job.store.root / "track1.npy").unlink()
    with pytest.raises(UserError, match="'Silent vocals'"):
        dataclasses.replace(job, workers=2).run()
    assert not (job.folder / "Silent vocals.fingerprint").exists()


def test_silent_source_is_a_note_not_a_crash(
    job: ScoringJob, capsys: pytest.CaptureFixture
) -> None:
    scores = job.run()
    assert set(scores["track"]) == {"one/two", "Falcon 69"}
    unscored = pd.read_csv(job.folder / "unscored.csv")
    assert unscored["track"].tolist() == ["Silent vocals"]
    assert "reference is silent throughout for vocals" in unscored["note"][0]
    assert "track 'Silent vocals': the reference is silent" in capsys.readouterr().err


def test_excerpts_hold_the_beginning_of_every_source(job: ScoringJob) -> None:
    job.run()
    assert job.audio is not None
    assert len(list(job.audio.glob("*.wav"))) == 3 * 5
    audio, rate = soundfile.read(job.audio / "one%2Ftwo_mixture.wav", dtype="int16")
    assert (audio.shape, rate) == ((1200, 2), RATE)
    mixture = np.load(job.store.root / "track0.npy")[STEMS.index("mixture"), :1200]
    np.testing.assert_array_equal(audio, mixture)


def test_scored_tracks_are_not_recomputed(job: ScoringJob, capfd) -> None:
    first = job.run()
    assert "scored already" not in "".join(capfd.readouterr())
    assert recomputed(job) == set()
    assert "3 tracks are scored already" in "".join(capfd.readouterr())
    assert recomputed(job, audio=None) == set()
    job.fingerprint_path(named(job.store, "Falcon 69")).unlink()
    assert recomputed(job) == {"Falcon 69"}
    for suffix in ("csv", "json"):
        (job.folder / f"one%2Ftwo.{suffix}").unlink()
        assert recomputed(job) == {"one/two"}
    assert job.audio is not None
    (job.audio / "one%2Ftwo_bass.wav").unlink()
    assert recomputed(job) == {"one/two"}
    pd.testing.assert_frame_equal(dataclasses.replace(job).run(), first)


def test_other_settings_weights_audio_or_code_recompute_all(job: ScoringJob) -> None:
    first = job.run()
    everything = set(TRACKS)
    assert recomputed(job, settings=dataclasses.replace(SETTINGS, aggregation="mean")) == set()
    assert recomputed(job, settings=dataclasses.replace(SETTINGS, batch_size=2)) == set()
    assert (
        recomputed(job, settings=dataclasses.replace(SETTINGS, excerpt_seconds=0.5)) == everything
    )
    assert recomputed(job, settings=dataclasses.replace(SETTINGS, overlap=0.5)) == everything
    assert recomputed(job, code="another") == everything
    make_model(job.model_folder, seed=1)
    assert recomputed(job) == everything
    assert not np.allclose(dataclasses.replace(job).run()["value"], first["value"])


def test_nan_estimate_names_model_and_track(job: ScoringJob) -> None:
    model = build(DemucsLikeSettings(channels=4, depth=2, options={"kernel_size": 8}), 0)
    for parameter in model.parameters():
        parameter.data.fill_(float("nan"))
    spec = read_json(job.model_folder / "spec.json")
    checkpoint_file.save(job.model_folder / "best.safetensors", model.state_dict(), spec)
    with pytest.raises(UserError, match=r"nearest/seed0, track '.*': the estimate of drums .*NaN"):
        job.run()


def test_models_that_are_missing_or_do_not_fit_are_named(job: ScoringJob) -> None:
    (job.model_folder / "best.safetensors").unlink()
    with pytest.raises(UserError, match="is not a trained model"):
        job.run()
    spec = read_json(job.model_folder / "spec.json")
    other = build(model_settings(spec["model"] | {"samplerate": 44100}, "model"))
    spec["model"]["samplerate"] = 44100
    write_json(job.model_folder / "spec.json", spec)
    checkpoint_file.save(job.model_folder / "best.safetensors", other.state_dict(), spec)
    with pytest.raises(UserError, match="samplerate is 44100, the tracks' 1000"):
        job.run()


@pytest.mark.parametrize("suffix", ["csv", "json", "fingerprint"])
def test_damaged_scores_are_computed_again(job: ScoringJob, suffix: str) -> None:
    expected = job.run()
    path = job.folder / f"Falcon 69.{suffix}"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert recomputed(job) == {"Falcon 69"}
    assert path.read_bytes() == content
    pd.testing.assert_frame_equal(job.run(), expected)


def test_former_test_tracks_leave_the_museval_folder(job: ScoringJob) -> None:
    job.run()
    stray = job.folder / "test" / "gone.json"
    stray.symlink_to("../gone.json")
    recomputed(job)
    assert sorted(path.name for path in stray.parent.iterdir()) == [
        "Falcon 69.json",
        "one%2Ftwo.json",
    ]


def test_program_runs_from_the_command_line(job: ScoringJob, tmp_path: Path) -> None:
    def score(evaluation: dict) -> subprocess.CompletedProcess:
        options = {
            "--model": job.model_folder,
            "--store": job.store.root,
            "--output": tmp_path / "out" / "seed0.csv",
            "--scores": job.folder,
            "--evaluation": json.dumps(evaluation),
            "--audio": tmp_path / "excerpts",
        }
        words = [str(word) for pair in options.items() for word in pair]
        command = [sys.executable, str(SCRIPTS / "score.py"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = score({"engine": "exact", "metrics": ["SDR"], "segment_seconds": 1.5})
    assert done.returncode == 0, done.stderr
    assert "SDR" in done.stderr
    scores = score_files.read_scores(tmp_path / "out" / "seed0.csv")
    assert scores.groupby("track")["frame"].nunique().to_dict() == {"one/two": 3, "Falcon 69": 3}
    assert set(scores["metric"]) == {"SDR", WHOLE_TRACK}
    assert len(list((tmp_path / "excerpts").glob("*.wav"))) == 3 * 5
    failed = score({"engin": "exact"})
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: --evaluation.engin: unknown key 'engin'")
    assert failed.stderr.count("\n") == 1


@pytest.mark.parametrize("workers", [1, 4])
def test_every_item_runs_once_and_is_timed(workers: int) -> None:
    calls: list[int] = []

    def work(item: int) -> None:
        calls.append(item)
        time.sleep(0.02)

    results = dict(run_in_threads(work, range(9), workers))
    assert sorted(calls) == sorted(results) == list(range(9))
    assert all(0.02 <= seconds < 2 for seconds in results.values())


def test_workers_run_at_once_with_one_torch_thread_each() -> None:
    together = threading.Barrier(3, timeout=30)
    threads: list[int] = []

    def work(item: int) -> None:
        together.wait()
        threads.append(torch.get_num_threads())

    assert len(list(run_in_threads(work, range(3), 3))) == 3
    assert threads == [1, 1, 1]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_raised_and_later_items_are_dropped(workers: int) -> None:
    calls: list[int] = []

    def work(item: int) -> None:
        calls.append(item)
        if item == 1:
            raise ValueError("one")
        time.sleep(0.02)

    with pytest.raises(ValueError, match="one"):
        list(run_in_threads(work, range(100), workers))
    assert len(calls) < 100


def test_no_items_are_no_work() -> None:
    assert list(run_in_threads(pytest.fail, [], 4)) == []
