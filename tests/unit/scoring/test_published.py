"""Scores in museval's JSON are read and aggregated like in a few plain lines of Python."""

import gzip
import json
import math
import statistics
from pathlib import Path

import numpy as np
import pytest

from upsampling.errors import UserError
from upsampling.scoring import score_files
from upsampling.scoring.published import read_folder
from upsampling.tables import table1

SOURCES = ("drums", "bass", "other", "vocals")


def write_folder(folder: Path, gzipped: bool, tracks: int = 7, seed: int = 0) -> Path:
    """Scores as museval writes them: rounded to 5 digits, NaN where a source was silent."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(tracks):
        frames = int(rng.integers(1, 9))
        silent = rng.random(frames) < 0.3
        targets = []
        for name in (*SOURCES, "accompaniment"):
            entries = []
            for frame in range(frames):
                value = math.nan if silent[frame] else round(float(rng.normal(4, 3)), 5)
                metrics = {"SDR": value, "SIR": 1.0, "SAR": 2.0, "ISR": 3.0}
                entries.append({"time": float(frame), "duration": 1.0, "metrics": metrics})
            targets.append({"name": name, "frames": entries})
        text = json.dumps({"targets": targets})
        path = folder / f"Artist {number} - It's. No. {number}.json"
        if gzipped:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text)
    return folder


def by_hand(folder: Path) -> float:
    """The paper's aggregate in plain Python."""
    medians = {source: [] for source in SOURCES}  # type: ignore[var-annotated]
    for path in folder.iterdir():
        content = path.read_bytes()
        document = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
        for target in document["targets"]:
            values = [frame["metrics"]["SDR"] for frame in target["frames"]]
            values = [value for value in values if not math.isnan(value)]
            if target["name"] in medians and values:
                medians[target["name"]].append(statistics.median(values))
    return sum(statistics.median(medians[source]) for source in SOURCES) / 4


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("subfolder", ["", "test", "method/test"])
def test_a_row_equals_a_few_plain_lines(tmp_path: Path, gzipped: bool, subfolder: str) -> None:
    folder = write_folder(tmp_path / "scores" / subfolder, gzipped)
    row = {"label": "Theirs", "scores": [str(tmp_path / "scores")], "printed": {"sdr": 5.3}}
    rows = table1.read_rows([row])
    record = table1.table1(rows, {}, {}, {}).iloc[0]
    assert record["sdr"] == by_hand(folder)
    assert (record["tracks"], record["seeds"], record["printed_sdr"]) == (7, 1, 5.3)
    assert record["variant"] == ""


def test_several_folders_count_as_seeds(tmp_path: Path) -> None:
    folders = [write_folder(tmp_path / f"seed{n}", False, seed=n) for n in range(3)]
    row = {"label": "Theirs", "scores": [str(folder) for folder in folders]}
    rows = table1.read_rows([row])
    record = table1.table1(rows, {}, {}, {}).iloc[0]
    expected = [by_hand(folder) for folder in folders]
    assert record["sdr"] == pytest.approx(statistics.mean(expected), abs=1e-14)
    assert record["sdr_spread"] == pytest.approx(statistics.stdev(expected), abs=1e-14)
    assert record["seeds"] == 3


def test_the_pipelines_own_json_is_read_back(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(4, 3, (4, 5)).round(5)
    values[:, 2] = np.nan
    scores = {"SDR": values, "SIR": values + 1}
    score_files.write_track(tmp_path, "one", scores, SOURCES, "exact")
    table = read_folder(tmp_path)
    assert list(table.columns) == score_files.SCORE_COLUMNS
    assert table["track"].unique().tolist() == ["one"]
    for metric, expected in scores.items():
        rows = table[table["metric"] == metric]
        wide = rows.pivot(index="source", columns="frame", values="value").loc[[*SOURCES]]
        np.testing.assert_array_equal(wide.to_numpy(), expected.round(5))


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no scores"):
        read_folder(tmp_path)
    (tmp_path / "notes.json").write_text('{"sdr": 5.3}')
    with pytest.raises(UserError, match=r"notes.json is not a file of museval's scores"):
        read_folder(tmp_path)
    (tmp_path / "notes.json").unlink()
    (tmp_path / "broken.json.gz").write_bytes(b"no gzip")
    with pytest.raises(UserError, match=r"broken.json.gz is not a file"):
        read_folder(tmp_path)
    (tmp_path / "broken.json").write_text("")
    with pytest.raises(UserError, match="two files of track 'broken'"):
        read_folder(tmp_path)


def frame(sdr: float) -> dict:
    return {"time": 0.0, "duration": 1.0, "metrics": {"SDR": sdr}}


def forged(change) -> str:
    """A file of scores, changed."""
    frames = [frame(5.0)]
    document = {"targets": [{"name": name, "frames": frames} for name in SOURCES]}
    document = json.loads(json.dumps(document))
    changed = change(document["targets"])
    return json.dumps({"targets": document["targets"] if changed is None else changed})


def set_score(value):
    def change(targets) -> None:
        targets[1]["frames"][0]["metrics"]["SDR"] = value

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (set_score(True), "bass, frame 0, SDR: True is no number"),
        (set_score("5.0"), "bass, frame 0, SDR: '5.0' is no number"),
        (set_score([1]), r"SDR: \[1\] is no number"),
        (set_score(1e9), "SDR: 1000000000.0 is no score in dB"),
        (set_score(10**400), "is no score in dB"),
        (set_score(math.inf), "SDR: inf is no score in dB"),
        (lambda targets: targets.pop(2) and None, "the source 'other' is listed 0 times"),
        (lambda targets: targets + targets, "the source 'drums' is listed 2 times"),
        (lambda targets: targets[0].update(name=3), "targets.0.name"),
        (lambda targets: targets[0].pop("frames") and None, "the key 'frames' is missing"),
        (lambda targets: {}, "targets"),
        (lambda targets: [None], "targets.0"),
        (lambda targets: targets[0]["frames"].append(frame(5.0)), "not drums 2, bass 1, other 1"),
        (lambda targets: [one | {"frames": []} for one in targets], "not drums 0, bass 0"),
        (
            lambda targets: targets[3]["frames"][0]["metrics"].pop("SDR") and None,
            "vocals, frame 0 has no SDR",
        ),
    ],
)
def test_forged_scores_are_refused_in_one_line(tmp_path, change, reason):
    (tmp_path / "track.json").write_text(forged(change))
    with pytest.raises(UserError, match=rf"track\.json.*{reason}") as caught:
        read_folder(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["[" * 100_000, "[]", "3", "null", '{"targets": 1}'])
def test_other_documents_are_refused(tmp_path, content):
    (tmp_path / "track.json").write_text(content)
    with pytest.raises(UserError, match="is not a file of museval's scores"):
        read_folder(tmp_path)


@pytest.mark.parametrize("value", [None, math.nan])
def test_frames_without_a_score_count_as_such(tmp_path, value):
    (tmp_path / "other.json").write_text(forged(lambda targets: None))
    (tmp_path / "track.json").write_text(forged(set_score(value)))
    table = read_folder(tmp_path)
    table = table[table["track"] == "track"]
    assert table.loc[table["source"] == "bass", "value"].isna().all()
    assert (table.loc[table["source"] != "bass", "value"] == 5).all()


def test_a_source_without_any_score_is_refused(tmp_path):
    """One track may be silent in a source, not all: the row would have an empty cell."""

    def silent(targets) -> None:
        targets[1]["frames"][0]["metrics"]["SDR"] = math.nan

    (tmp_path / "a.json").write_text(forged(silent))
    with pytest.raises(UserError, match="no track has an SDR of 'bass'"):
        read_folder(tmp_path)
    (tmp_path / "b.json").write_text(forged(lambda targets: None))
    assert read_folder(tmp_path)["track"].nunique() == 2
