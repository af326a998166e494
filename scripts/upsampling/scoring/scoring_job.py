"""Separation and scores of all test tracks with one trained model; an interrupted job resumes."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch

from upsampling.config.sections import METRICS, EvaluationSettings
from upsampling.errors import UserError
from upsampling.files import content_of, is_intact, read_json, sha256, write_json, write_wav
from upsampling.scoring import aggregation, score_files
from upsampling.scoring.bsseval import NotScorable, evaluate
from upsampling.scoring.separation import separate
from upsampling.scoring.signals import Frames, SignalFile, TimeSlices
from upsampling.tracks.processes import run_jobs
from upsampling.tracks.store import Track, TrackStore
from upsampling.training.progress import report

Item = TypeVar("Item")


@dataclass
class ScoringJob:
    """One trained model, the tracks to score it on, and the folders of scores and excerpts.

    `model_folder` holds spec.json and best.safetensors. `folder` gets the per-track files, `audio`
    (if any) the beginning of each separated source and of the mixture as WAV files. `workers`
    tracks are scored at once, each with one thread. `code` is the fingerprint of the program:
    scores that other code computed are recomputed.
    """

    model_folder: Path
    store: TrackStore
    settings: EvaluationSettings
    folder: Path
    code: str = ""
    audio: Path | None = None
    workers: int = 1
    gpu_lock: Any = field(default_factory=threading.RLock, init=False)

    @cached_property
    def model(self) -> torch.nn.Module:
        """The trained model, on the GPU if there is one; loaded when the first track needs it."""
        from upsampling.training.checkpoints import load_model
        from upsampling.training.device import find_device

        model = load_model(self.model_folder)
        for key in ("samplerate", "sources"):
            own, needed = getattr(model, key), getattr(self.store, key)
            if own != needed:
                raise UserError(
                    f"{self.model_folder}: the model's {key} is {own}, the tracks' {needed}"
                )
        return model.to(find_device())

    @cached_property
    def model_digest(self) -> str:
        """One hash of the model's settings and weights."""
        digest = hashlib.sha256()
        for name in ("spec.json", "best.safetensors"):
            try:
                digest.update(bytes.fromhex(sha256(self.model_folder / name)))
            except OSError as error:
                raise UserError(f"{self.model_folder} is not a trained model: {error}") from error
        return digest.hexdigest()

    def fingerprint(self, track: Track) -> dict[str, Any]:
        """All that decides the scores: the model's files, the track, the evaluation settings."""
        evaluation = asdict(self.settings)
        for key in ("batch_size", "excerpt_seconds", "aggregation"):
            del evaluation[key]
        evaluation["metrics"] = [metric for metric in METRICS if metric in self.settings.metrics]
        return {
            "code": self.code,
            "model": self.model_digest,
            "track": {"name": track.name, "sha256": track.sha256, "scale": track.mixture_scale},
            "samplerate": self.store.samplerate,
            "evaluation": evaluation,
        }

    def run(self) -> pd.DataFrame:
        """Score every test track without a current score; return all scores, tidy.

        Columns: track, origin, source, frame, metric, value. A track for which BSSEval defines no
        score has no rows; `unscored.csv` lists it with the reason.
        """
        self.store.verify("test")
        tracks = self.store.tracks("test")
        if not tracks:
            raise UserError("the store has no test tracks to score")
        _ = self.model_digest  # A missing model is reported before any work is done.
        self.score_missing(tracks)
        frames, unscored = [], []
        for track in tracks:
            note = read_json(self.fingerprint_path(track))["note"]
            if note:
                unscored.append({"track": track.name, "origin": track.origin, "note": note})
                report(f"{self.model_folder}, track '{track.name}': {note}")
            rows = score_files.read_track(self.folder, track.name, scored=not note)
            rows.insert(0, "track", track.name)
            rows.insert(1, "origin", track.origin)
            frames.append(rows)
        listing = self.folder / "unscored.csv"
        if unscored:
            score_files.write_frame(listing, pd.DataFrame(unscored))
        else:
            listing.unlink(missing_ok=True)
        self.unlink_old_tracks(tracks)
        return pd.concat(frames, ignore_index=True)[score_files.SCORE_COLUMNS]

    def score_missing(self, tracks: list[Track]) -> None:
        """Score the tracks without a current score; report each."""
        missing = [track for track in tracks if not self.is_current(track)]
        if len(missing) < len(tracks):
            report(f"{self.model_folder}: {len(tracks) - len(missing)} tracks are scored already")
        done = run_in_threads(self.score, missing, self.workers)
        for count, (track, seconds) in enumerate(done, 1):
            progress = f"track {count} of {len(missing)}, {seconds:.1f} s"
            report(f"{self.model_folder}: {progress}: {track.name}")

    def fingerprint_path(self, track: Track) -> Path:
        """The file beside a track's scores that holds their fingerprint."""
        return self.folder / f"{score_files.file_stem(track.name)}.fingerprint"

    def excerpts(self, track: Track) -> list[Path]:
        """The WAV file of each source and of the mixture."""
        if self.audio is None:
            return []
        stem = score_files.file_stem(track.name)
        return [self.audio / f"{stem}_{name}.wav" for name in (*self.store.sources, "mixture")]

    def is_current(self, track: Track) -> bool:
        """True if the track's files exist and come from this model, track and evaluation."""
        path = self.fingerprint_path(track)
        try:
            with content_of(path):
                stored = dict(read_json(path))
                suffixes = ("csv",) if stored["note"] else ("csv", "json")
                score_files.read_track(self.folder, track.name, scored=not stored["note"])
        except (FileNotFoundError, UserError):
            return False
        files = [self.folder / f"{score_files.file_stem(track.name)}.{end}" for end in suffixes]
        files += self.excerpts(track)
        return (
            all(stored.get(key) == value for key, value in self.fingerprint(track).items())
            and (self.audio is None or stored["excerpt_seconds"] == self.settings.excerpt_seconds)
            and all(is_intact(path) for path in files)
        )

    def score(self, track: Track) -> None:
        """Separate and score one track; its fingerprint is written last."""
        self.fingerprint_path(track).unlink(missing_ok=True)
        where = f"{self.model_folder}, track '{track.name}'"
        store, note = self.store, ""
        shape = (len(store.sources), 2, track.samples)
        references = TimeSlices(shape, partial(store.references, track))
        with SignalFile(self.folder, shape) as estimates:
            self.separate(track, estimates)
            try:
                scores = evaluate(
                    Frames(references),
                    Frames(estimates),
                    store.samplerate,
                    self.settings.engine,
                    metrics=self.settings.metrics,
                    where=where,
                    names=store.sources,
                )
            except NotScorable as error:
                scores, note = {}, str(error)
            score_files.write_track(
                self.folder, track.name, scores, store.sources, self.settings.engine
            )
            if self.audio is not None:
                samples = round(self.settings.excerpt_seconds * store.samplerate)
                samples = min(samples, track.samples)
                mixture = store.mixture(track, 0, samples)
                excerpts = np.stack([*estimates[..., :samples], mixture])
                # One gain for all sources of a track: none clips, and levels are comparable.
                excerpts /= max(1.0, np.abs(excerpts).max(initial=0.0))
                for path, signal in zip(self.excerpts(track), excerpts, strict=True):
                    write_wav(path, signal.T, store.samplerate, subtype="PCM_16")
        seconds = None if self.audio is None else self.settings.excerpt_seconds
        content = self.fingerprint(track) | {"note": note, "excerpt_seconds": seconds}
        write_json(self.fingerprint_path(track), content)

    def separate(self, track: Track, estimates: SignalFile) -> None:
        """Separate a track into `estimates`; on a GPU one at a time, to save its memory."""
        with self.gpu_lock:
            model = self.model
        on_cpu = next(model.parameters()).device.type == "cpu"
        with nullcontext() if on_cpu else self.gpu_lock:
            separate(
                model,
                TimeSlices((2, track.samples), partial(self.store.mixture, track)),
                out=estimates,
                segment_seconds=self.settings.segment_seconds,
                overlap=self.settings.overlap,
                batch_size=self.settings.batch_size,
                samplerate=self.store.samplerate,
                shifts=self.settings.shifts,
                seed=self.settings.shift_seed,
            )

    def unlink_old_tracks(self, tracks: list[Track]) -> None:
        """Remove links of former test tracks from `test/`, where museval would count them."""
        names = {f"{score_files.file_stem(track.name)}.json" for track in tracks}
        for link in (self.folder / "test").glob("*.json"):
            if link.is_symlink() and link.name not in names:
                link.unlink()


def run_in_threads(
    function: Callable[[Item], None], items: Sequence[Item], workers: int
) -> Iterator[tuple[Item, float]]:
    """Call `function` with each item in `workers` threads; yield item and seconds as each ends.

    Separation, transforms and factorizations release Python's lock, so threads are enough, and one
    model in memory serves all tracks. The first exception is raised here; items that have not
    started are then dropped.
    """

    def timed(item: Item) -> tuple[Item, float]:
        start = time.perf_counter()
        function(item)
        return item, time.perf_counter() - start

    # No operation of a thread gets further threads.
    pool = partial(ThreadPoolExecutor, initializer=torch.set_num_threads, initargs=(1,))
    return run_jobs(timed, [(item,) for item in items], workers, pool)


def summary(scores: pd.DataFrame, sources: tuple[str, ...]) -> str:
    """One line for the log: SDR per origin of tracks, averaged as in Table 1."""
    parts = []
    for origin, group in scores.groupby("origin"):
        value = aggregation.overall(aggregation.source_scores(group), sources)
        parts.append(f"{value:.2f} dB ({origin} tracks: {group['track'].nunique()})")
    return "SDR " + (", ".join(parts) or "undefined: no track could be scored")
