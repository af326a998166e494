"""Score files: read back exactly, by this package and by museval's own tools."""

import json
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upsampling.errors import UserError
from upsampling.scoring import score_files
from upsampling.tracks.decoder import ensure_ffmpeg

SOURCES = ("drums", "bass", "other", "vocals")
NAMES = [
    "AM Contra - Heart Peripheral",
    "The Easton Ellises (Baumi) - SDRNR",
    "Mr. J's 50% & more.json",
    "../../etc/passwd",
    "a/b",
    "naïve/Ωmega\n\x00",
    ".",
    "..",
    "-rf *",
]


def random_scores(metrics: tuple[str, ...] = ("SDR", "ISR", "SIR", "SAR")) -> dict:
    rng = np.random.default_rng(0)
    scores = {metric: rng.normal(4, 10, (4, 6)) for metric in metrics}
    for values in scores.values():
        values[:, 2] = np.nan
    scores["SDR"][1, 4] = np.inf
    return scores


@pytest.mark.parametrize("name", NAMES)
def test_csv_holds_every_digit(name: str, tmp_path: Path) -> None:
    scores = random_scores()
    score_files.write_track(tmp_path / "scores", name, scores, SOURCES, "museval")
    rows = score_files.read_track(tmp_path / "scores", name)
    assert list(rows.columns) == ["source", "frame", "metric", "value"]
    for metric, values in scores.items():
        table = rows[rows["metric"] == metric].pivot(
            index="source", columns="frame", values="value"
        )
        np.testing.assert_array_equal(table.loc[list(SOURCES)].to_numpy(), values)
    folder = tmp_path / "scores"
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {
        folder,
        folder / "test",
        folder / ".checksums",
    }


@pytest.mark.parametrize("engine", ["museval", "exact"])
def test_museval_reads_the_json(engine: str, tmp_path: Path) -> None:
    ensure_ffmpeg()
    import museval

    scores = random_scores() if engine == "museval" else random_scores(("SDR",))
    for name in NAMES[:2]:
        score_files.write_track(tmp_path / "linear", name, scores, SOURCES, engine)

    written = json.loads((tmp_path / "linear" / f"{NAMES[0]}.json").read_text())
    track_store = museval.TrackStore(NAMES[0], win=1.0, hop=1.0)
    for index, source in enumerate(SOURCES):
        missing = np.full((4, 6), np.nan)
        values = {m: scores.get(m, missing)[index].tolist() for m in score_files.MUSEVAL_METRICS}
        track_store.add_target(source, values)
    assert written.pop("engine") == engine
    np.testing.assert_equal(written, json.loads(track_store.json))
    track_store.scores = written
    track_store.validate()

    store = museval.EvalStore()
    store.add_eval_dir(tmp_path / "linear")
    assert sorted(store.df["track"].unique()) == sorted(NAMES[:2])
    medians = store.agg_frames_scores()
    finite = np.where(np.isinf(scores["SDR"]), np.nan, scores["SDR"])
    for index, source in enumerate(SOURCES):
        assert medians[NAMES[0], source, "SDR"] == pytest.approx(
            np.nanmedian(finite[index]), abs=1e-5
        )
    methods = museval.MethodStore()
    methods.add_eval_dir(str(tmp_path / "linear"))
    assert set(methods.df["method"]) == {"linear"}


def test_a_track_without_scores_leaves_no_json(tmp_path: Path) -> None:
    score_files.write_track(tmp_path, "a", random_scores(), SOURCES, "museval")
    score_files.write_track(tmp_path, "a", {}, SOURCES, "museval")
    assert len(score_files.read_track(tmp_path, "a", scored=False)) == 0
    with pytest.raises(UserError, match=r"a\.csv cannot be read as a table: it has no rows"):
        score_files.read_track(tmp_path, "a")
    assert not list(tmp_path.rglob("*.json"))


@given(st.text(max_size=400))
def test_file_names_are_reversible_and_stay_in_their_folder(name: str) -> None:
    stem = score_files.file_stem(name)
    assert stem.isascii()
    assert stem.isprintable()
    assert not {"/", "\\", "*", "?", "[", "{", "$", "`", '"'} & {*stem}
    assert not stem.startswith(".")
    assert 0 < len(stem) <= 200
    assert unquote(stem) == name or "%~" in stem


def test_long_names_that_differ_have_different_files() -> None:
    stems = {score_files.file_stem("x" * 300 + tail) for tail in ("a", "b")}
    assert len(stems) == 2


def test_a_track_called_nan_stays_text(tmp_path: Path) -> None:
    rows = score_files.tidy(random_scores(), SOURCES).assign(track="nan", origin="1")
    score_files.write_frame(tmp_path / "scores.csv", rows[score_files.SCORE_COLUMNS])
    scores = score_files.read_scores(tmp_path / "scores.csv")
    assert scores["track"].unique().tolist() == ["nan"]
    assert scores["origin"].unique().tolist() == ["1"]
    np.testing.assert_array_equal(scores["value"], rows["value"])


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("track,value\na,1\n")
    with pytest.raises(UserError, match=r"no column origin, source, frame, metric"):
        score_files.read_scores(tmp_path / "x.csv")
    (tmp_path / "y.csv").write_bytes(b"")
    with pytest.raises(UserError, match=r"y\.csv cannot be read as a table"):
        score_files.read_scores(tmp_path / "y.csv")
