"""Separate and score all test tracks of a store with one trained model, resumably."""

import hashlib
import threading
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from upsampling.config.sections import METRICS, EvaluationSettings
from upsampling.errors import UserError
from upsampling.files import read_json, write_json, write_wav
from upsampling.scoring import aggregation, score_files
from upsampling.scoring.bsseval import NotScorable, evaluate
from upsampling.scoring.separation import separate
from upsampling.scoring.threads import report, side_by_side

if TYPE_CHECKING:
    from torch import nn

    from upsampling.tracks.store import Track, TrackStore


@dataclass
class ScoringJob:
    """One trained model, the tracks to score it on, and where scores and excerpts go.

    `model_folder` holds spec.json and best.safetensors. `folder` gets the per-track files, `audio`
    (if any) the beginning of each separated source and of the mixture as WAV files. `workers`
    tracks are scored at once, each with one thread. `code` is the fingerprint of the program: scores
    that other code computed are computed again.
    """

    model_folder: Path
    store: "TrackStore"
    settings: EvaluationSettings
    folder: Path
    code: str = ""
    audio: Path | None = None
    workers: int = 1
    turn: Any = field(default_factory=threading.RLock, init=False)

    @cached_property
    def model(self) -> "nn.Module":
        """The trained model, on the GPU if there is one; loaded when the first track needs it."""
        import torch

        from upsampling.training.checkpoints import load_model

        spec = read_json(self.model_folder / "spec.json")["model"]
        wanted = {"samplerate": self.store.samplerate, "sources": list(self.store.sources)}
        for key, value in wanted.items():
            if key in spec and spec[key] != value:
                raise UserError(
                    f"{self.model_folder}: the model's {key} is {spec[key]}, the tracks' {value}"
                )
        return load_model(self.model_folder).to("cuda" if torch.cuda.is_available() else "cpu")

    @cached_property
    def model_digest(self) -> str:
        """One hash of the model's settings and weights."""
        digest = hashlib.sha256()
        for name in ("spec.json", "best.safetensors"):
            try:
                with open(self.model_folder / name, "rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise UserError(f"{self.model_folder} is not a trained model: {error}") from error
        return digest.hexdigest()

    def fingerprint(self, track: "Track") -> dict[str, Any]:
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
        """Score every test track that has no current score yet; return all, tidy.

        Columns: track, origin, source, frame, metric, value. A track that BSSEval defines no score
        for has no rows; it is listed with the reason in `unscored.csv`.
        """
        tracks = self.store.tracks("test")
        if not tracks:
            raise UserError("the store has no test tracks to score")
        _ = self.model_digest  # A model that is not there is found out before anything is done.
        self.score_missing(tracks)
        frames, unscored = [], []
        for track in tracks:
            note = read_json(self.mark(track))["note"]
            if note:
                unscored.append({"track": track.name, "origin": track.origin, "note": note})
                report(f"{self.model_folder}, track '{track.name}': {note}")
            rows = score_files.read_track(self.folder, track.name)
            rows.insert(0, "track", track.name)
            rows.insert(1, "origin", track.origin)
            frames.append(rows)
        self.list_unscored(unscored)
        self.forget_others(tracks)
        return pd.concat(frames, ignore_index=True)[score_files.COLUMNS]

    def score_missing(self, tracks: "list[Track]") -> None:
        """Score the tracks that have no current score, and show the progress line by line."""
        missing = [track for track in tracks if not self.is_current(track)]
        if len(missing) < len(tracks):
            report(f"{self.model_folder}: {len(tracks) - len(missing)} tracks are scored already")
        done = side_by_side(self.score, missing, self.workers)
        for count, (track, seconds) in enumerate(done, 1):
            place = f"track {count} of {len(missing)}"
            report(f"{self.model_folder}: {place}, {seconds:.1f} s: {track.name}")

    def mark(self, track: "Track") -> Path:
        """The file beside a track's scores that says what they were computed from."""
        return self.folder / f"{score_files.file_stem(track.name)}.fingerprint"

    def excerpts(self, track: "Track") -> dict[str, Path]:
        """The WAV file of each source and of the mixture."""
        if self.audio is None:
            return {}
        stem, names = score_files.file_stem(track.name), [*self.store.sources, "mixture"]
        return {name: self.audio / f"{stem}_{name}.wav" for name in names}

    def is_current(self, track: "Track") -> bool:
        """Whether the track's files are there and come from this very model and evaluation."""
        if not self.mark(track).is_file():
            return False
        mark = read_json(self.mark(track))
        suffixes = ("csv",) if mark["note"] else ("csv", "json")
        files = [self.folder / f"{score_files.file_stem(track.name)}.{end}" for end in suffixes]
        files += self.excerpts(track).values()
        return (
            all(mark.get(key) == value for key, value in self.fingerprint(track).items())
            and (self.audio is None or mark["excerpt_seconds"] == self.settings.excerpt_seconds)
            and all(path.is_file() for path in files)
        )

    def score(self, track: "Track") -> None:
        """Separate and score one track; its fingerprint is written last."""
        self.mark(track).unlink(missing_ok=True)
        where = f"{self.model_folder}, track '{track.name}'"
        mixture, store = self.store.mixture(track), self.store
        estimates = self.separated(mixture)
        note = ""
        try:
            scores = evaluate(
                np.swapaxes(store.references(track), 1, 2),
                np.swapaxes(estimates, 1, 2),
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
            excerpts = np.stack([*estimates, mixture])[..., :samples]
            # One gain for all of a track, so that none clips and their levels can be compared.
            excerpts /= max(1.0, np.abs(excerpts).max(initial=0.0))
            for path, signal in zip(self.excerpts(track).values(), excerpts, strict=True):
                write_wav(path, signal.T, store.samplerate, subtype="PCM_16")
        seconds = None if self.audio is None else self.settings.excerpt_seconds
        mark = self.fingerprint(track) | {"note": note, "excerpt_seconds": seconds}
        write_json(self.mark(track), mark)

    def separated(self, mixture: np.ndarray) -> np.ndarray:
        """Separate `mixture`, `[channels, samples]`; on a GPU, whose memory ends, one at a time."""
        with self.turn:
            model = self.model
        on_cpu = next(model.parameters()).device.type == "cpu"
        with nullcontext() if on_cpu else self.turn:
            return separate(
                model,
                mixture,
                segment_seconds=self.settings.segment_seconds,
                overlap=self.settings.overlap,
                batch_size=self.settings.batch_size,
                samplerate=self.store.samplerate,
                shifts=self.settings.shifts,
                seed=self.settings.shift_seed,
            )

    def list_unscored(self, unscored: list[dict[str, str]]) -> None:
        """Write `unscored.csv`, or remove it when every track has scores."""
        path = self.folder / "unscored.csv"
        if unscored:
            score_files.write_csv(path, pd.DataFrame(unscored))
        else:
            path.unlink(missing_ok=True)

    def forget_others(self, tracks: "list[Track]") -> None:
        """Unlink from `test/` what is no test track any more, lest museval count it."""
        names = {f"{score_files.file_stem(track.name)}.json" for track in tracks}
        for link in (self.folder / "test").glob("*.json"):
            if link.is_symlink() and link.name not in names:
                link.unlink()


def summary(scores: pd.DataFrame, sources: tuple[str, ...]) -> str:
    """One line for the log: SDR per origin of tracks, averaged as in Table 1."""
    parts = []
    for origin, group in scores.groupby("origin"):
        value = aggregation.overall(aggregation.source_scores(group), sources)
        parts.append(f"{value:.2f} dB ({origin} tracks: {group['track'].nunique()})")
    return "SDR " + (", ".join(parts) or "undefined: no track could be scored")
