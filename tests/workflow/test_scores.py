"""Scores of others and of several seeds, from the configuration to the table."""

import json
import shutil

import numpy as np
import pandas as pd

SCORES = ["sdr", "sdr_bass", "sdr_drums", "sdr_other", "sdr_vocals"]
# museval's JSON has five decimals.
DECIBELS = 1e-5


def table1(project) -> pd.DataFrame:
    return pd.read_csv(project.results("tables/table1.csv"))


def test_published_scores_fill_a_row_and_train_nothing(restored):
    """Scores of this project, read as a folder of published JSON files, give the same row."""
    folder = restored.root / "published"
    shutil.copytree(restored.results("scores/nearest/seed0/test"), folder / "test")
    before, config = restored.config, restored.config
    config["literature"][0] |= {"table_label": "Theirs", "scores": "published"}
    restored.config = config
    drawn = {"draw_track_differences": 1, "gallery": 1, "supplement": 1}
    assert restored.planned() == {"row_differences": 1, "table1": 1} | drawn
    restored.snakemake("--cores", "2", "--quiet", "rules")
    table = table1(restored)
    theirs, ours = table[table["label"] == "Theirs"], table[table["variant"] == "nearest"]
    assert theirs["printed_sdr"].item() == 3.23
    # The track beside the test set is one of the published ones.
    tracks = pd.read_csv(restored.results("tables/track_scores.csv"))
    own = tracks[tracks["row"] == "nearest"].set_index(["track", "source"])["value"]
    other = tracks[tracks["row"] == "Theirs"].set_index(["track", "source"])["value"]
    assert set(own.index) < set(other.index)
    np.testing.assert_allclose(other[own.index], own, rtol=0, atol=DECIBELS)
    assert theirs["seeds"].item() == ours["seeds"].item() == 1
    assert np.isfinite(theirs[SCORES].to_numpy(dtype=float)).all()
    restored.config = before
    restored.snakemake("--cores", "2", "--quiet", "rules")


def test_another_seed_trains_what_is_new_and_gives_a_spread(restored):
    before, config = restored.config, restored.config
    config["seeds"] = [0, 1]
    restored.config = config
    planned = restored.planned()
    assert (planned["train"], planned["score"], planned["measure_artifacts"]) == (2, 2, 2)
    first = table1(restored).set_index("variant")["sdr"]
    restored.snakemake("--cores", "2", "--quiet", "rules")
    table = table1(restored).set_index("variant").loc[["nearest", "transposed"]]
    assert (table["seeds"] == 2).all()
    assert (table["sdr_spread"] > 0).all()
    second = 2 * table["sdr"] - first[table.index]
    spread = (second - first[table.index]).abs() / np.sqrt(2)
    np.testing.assert_allclose(table["sdr_spread"], spread, rtol=0, atol=1e-9)
    assert "±" in restored.results("tables/table1.md").read_text().split("| Demucs")[0]
    restored.config = before
    restored.snakemake("--cores", "2", "--quiet", "rules")


def test_published_scores_that_change_are_read_again_and_refused_before_any_job(restored):
    """Snakemake sees the files, not only their folder; a wrong one is named with its key."""
    folder = restored.root / 'theirs, "1"'
    shutil.copytree(restored.results("scores/nearest/seed0/test"), folder)
    next(folder.iterdir()).rename(folder / "a 'b'\n [c]*.json")
    before, config = restored.config, restored.config
    config["literature"][0] |= {"table_label": "Theirs", "scores": folder.name}
    restored.config = config
    make_table1 = ("table1", "--cores", "2", "--quiet", "rules")
    restored.snakemake(*make_table1)
    assert restored.planned("table1") == {}
    sdr = table1(restored).set_index("label")["sdr"]["Theirs"]
    for path in folder.iterdir():
        scores = json.loads(path.read_text())
        for target in scores["targets"]:
            for frame in target["frames"]:
                frame["metrics"]["SDR"] += 1
        path.write_text(json.dumps(scores))
    assert restored.planned("table1") == {"row_differences": 1, "table1": 1}
    restored.snakemake(*make_table1)
    after = table1(restored).set_index("label")["sdr"]["Theirs"]
    assert abs(after - sdr - 1) < DECIBELS
    path = min(folder.iterdir(), key=lambda path: len(path.name))
    path.write_text("{}")
    done = restored.snakemake("-n", "table1", check=False)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("error:")]
    assert line.startswith("error: literature.0.scores: ")
    assert folder.name in line
    assert "Traceback" not in done.stdout
    restored.config = before
    restored.snakemake(*make_table1)
