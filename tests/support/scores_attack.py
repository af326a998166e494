"""Folders of published scores as others may leave them, read by the programs that make Table 1."""

import copy
import gzip
import json
import math
import os
import random
import shutil
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from finished_run import FinishedRun, Job, Sandbox
from forked import Ended
from tally import Tally

LONGEST_LINE = 400
LABEL = "Published"
FOLDER = "published"
PROGRAMS = ("row_differences.py", "table1.py")
SOURCES = ("drums", "bass", "other", "vocals")
TRACKS = 3
FRAMES = 4
# Rounding of a mean of medians, in dB.
ROUNDING = 1e-9
WRONG_SCORES = (True, "5.0", [], {}, 1e9, -401, 10**400, math.inf)
WRONG_DOCUMENTS = (b"", b"null", b"[]", b'"x"', b"{}", b'{"targets": 3}', b'{"sdr": 5.3}',
                   b'{"targets": [null]}', b"[" * 100_000, b"\xff\xfe{}", b"\x1f\x8b\x08cut",
                   b"1" * 5000)  # fmt: skip

Documents = dict[str, dict[str, Any]]


def documents(choice: random.Random) -> Documents:
    """Scores of a few tracks as museval writes them, NaN where a source is silent."""
    found: Documents = {}
    for track in range(TRACKS):
        targets = []
        for source in (*SOURCES, "accompaniment"):
            values = [round(choice.gauss(4, 3), 5) for _ in range(FRAMES)]
            if choice.random() < 0.3:
                values[choice.randrange(FRAMES)] = math.nan
            frames = [
                {
                    "time": float(time),
                    "duration": 1.0,
                    "metrics": {"SDR": value, "SIR": 1.0, "SAR": 2.0, "ISR": 3.0},
                }
                for time, value in enumerate(values)
            ]
            targets.append({"name": source, "frames": frames})
        found[f"Artist {track} - It's, No. {track}"] = {"targets": targets}
    return found


def by_hand(scores: Documents) -> float:
    """The paper's aggregate in plain Python: medians over frames and tracks, mean over sources."""
    medians: dict[str, list[float]] = {source: [] for source in SOURCES}
    for document in scores.values():
        for target in document["targets"]:
            values = [frame["metrics"]["SDR"] for frame in target["frames"]]
            known = [value for value in values if value is not None and not math.isnan(value)]
            if target["name"] in medians and known:
                medians[target["name"]].append(statistics.median(known))
    return statistics.mean(statistics.median(values) for values in medians.values())


def some_frame(scores: Documents, choice: random.Random) -> dict[str, Any]:
    targets = choice.choice(list(scores.values()))["targets"]
    return choice.choice(choice.choice(targets[: len(SOURCES)])["frames"])


def undefined_score(scores: Documents, choice: random.Random) -> None:
    some_frame(scores, choice)["metrics"]["SDR"] = choice.choice([None, math.nan])


def further_source(scores: Documents, choice: random.Random) -> None:
    targets = choice.choice(list(scores.values()))["targets"]
    targets.append(copy.deepcopy(targets[0]) | {"name": "choir"})


def odd_name(scores: Documents, choice: random.Random) -> None:
    """Names that a table might take for something else."""
    name = choice.choice(["nan", "1", 'a "b", c', "a\nb", "test", "é" * 60, "a.json", "=1+1"])
    scores[name] = scores.pop(choice.choice(list(scores)))


def fewer_tracks(scores: Documents, choice: random.Random) -> None:
    scores.pop(choice.choice(list(scores)))


def wrong_score(scores: Documents, choice: random.Random) -> None:
    metric = choice.choice(["SDR", "SIR"])
    some_frame(scores, choice)["metrics"][metric] = choice.choice(WRONG_SCORES)


def no_sdr(scores: Documents, choice: random.Random) -> None:
    """A frame has another metric in place of the SDR."""
    metrics = some_frame(scores, choice)["metrics"]
    metrics[choice.choice(["sdr", "SI-SDR"])] = metrics.pop("SDR")


def lost_source(scores: Documents, choice: random.Random) -> None:
    targets = choice.choice(list(scores.values()))["targets"]
    targets.pop(choice.randrange(len(SOURCES)))


def foreign_source(scores: Documents, choice: random.Random) -> None:
    targets = choice.choice(list(scores.values()))["targets"]
    targets[choice.randrange(len(SOURCES))]["name"] = choice.choice(["piano", "Drums", "", 3, None])


def repeated_source(scores: Documents, choice: random.Random) -> None:
    targets = choice.choice(list(scores.values()))["targets"]
    targets.append(copy.deepcopy(targets[choice.randrange(len(SOURCES))]))


def lost_frames(scores: Documents, choice: random.Random) -> None:
    """One source has fewer frames than the others, or none."""
    targets = choice.choice(list(scores.values()))["targets"]
    del targets[choice.randrange(len(SOURCES))]["frames"][choice.randrange(FRAMES) :]


def silent_everywhere(scores: Documents, choice: random.Random) -> None:
    """One source has no score in any track."""
    place = choice.randrange(len(SOURCES))
    for document in scores.values():
        for frame in document["targets"][place]["frames"]:
            frame["metrics"]["SDR"] = math.nan


def wrong_type(scores: Documents, choice: random.Random) -> None:
    """A value of the document's structure is of another type, or missing."""
    target = choice.choice(choice.choice(list(scores.values()))["targets"][: len(SOURCES)])
    kind = choice.randrange(4)
    if kind == 0:
        target["frames"] = choice.choice([None, {}, 3, "x", [None], [[]]])
    elif kind == 1:
        del target[choice.choice(["name", "frames"])]
    elif kind == 2:
        choice.choice(target["frames"])["metrics"] = choice.choice([None, [], 3, "SDR"])
    else:
        del choice.choice(target["frames"])["metrics"]


def some_file(folder: Path, choice: random.Random) -> Path:
    return choice.choice(sorted(path for path in folder.rglob("*.json*") if path.is_file()))


def foreign_files(folder: Path, choice: random.Random) -> None:
    """What file managers, archives and people leave beside the scores."""
    root = some_file(folder, choice).parent
    for name in (".DS_Store", "._Artist 0 - It's, No. 0.json", "notes.txt", "scores.csv"):
        (root / name).write_bytes(b"\0\1\2")
    (root / "__MACOSX").mkdir()


def linked_folder(folder: Path, choice: random.Random) -> None:
    """A part of the scores lies elsewhere, and the folder there links back."""
    path = some_file(folder, choice)
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (path.parent / "part").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(path.parent)
    path.rename(elsewhere / path.name)


def cut(folder: Path, choice: random.Random) -> None:
    path = some_file(folder, choice)
    content = path.read_bytes()
    path.write_bytes(content[: choice.randrange(len(content) - 1)])


def wrong_document(folder: Path, choice: random.Random) -> None:
    path, content = some_file(folder, choice), choice.choice(WRONG_DOCUMENTS)
    packed = path.suffix == ".gz" and not content.startswith(b"\x1f\x8b")
    path.write_bytes(gzip.compress(content) if packed else content)


def foreign_document(folder: Path, choice: random.Random) -> None:
    (some_file(folder, choice).parent / "package.json").write_text('{"name": "x", "version": 1}')


def two_of_one_track(folder: Path, choice: random.Random) -> None:
    path = some_file(folder, choice)
    (path.parent / "copy").mkdir()
    shutil.copy(path, path.parent / "copy" / path.name)


def folder_in_place(folder: Path, choice: random.Random) -> None:
    path = some_file(folder, choice)
    path.unlink()
    path.mkdir()


def dangling_link(folder: Path, choice: random.Random) -> None:
    path = some_file(folder, choice)
    path.unlink()
    path.symlink_to("nowhere.json")


def unreadable(folder: Path, choice: random.Random) -> None:
    """A file, or the folder around it, may not be read."""
    path = some_file(folder, choice)
    if choice.random() < 0.5:
        inner = path.parent / "inner"
        inner.mkdir()
        path = path.rename(inner / path.name)
        path = inner
    path.chmod(0)


def no_text(folder: Path, choice: random.Random) -> None:
    """A track's name is no UTF-8."""
    path = some_file(folder, choice)
    suffix = "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:])
    path.rename(path.parent / os.fsdecode(b"caf\xe9" + suffix.encode()))


def no_scores(folder: Path, choice: random.Random) -> None:
    for path in folder.rglob("*.json*"):
        path.unlink()


def no_folder(folder: Path, choice: random.Random) -> None:
    shutil.rmtree(folder)
    if choice.random() < 0.5:
        folder.write_text("x")


CONTENTS: dict[Callable[[Documents, random.Random], None], bool] = {
    undefined_score: True,
    further_source: True,
    odd_name: True,
    fewer_tracks: True,
    wrong_score: False,
    no_sdr: False,
    lost_source: False,
    foreign_source: False,
    repeated_source: False,
    lost_frames: False,
    silent_everywhere: False,
    wrong_type: False,
}
# Faults, and whether the scores are still to be read as they are.
FOLDERS: dict[Callable[[Path, random.Random], None], bool] = {
    foreign_files: True,
    linked_folder: True,
    cut: False,
    wrong_document: False,
    foreign_document: False,
    two_of_one_track: False,
    folder_in_place: False,
    dangling_link: False,
    unreadable: False,
    no_text: False,
    no_scores: False,
    no_folder: False,
}


def write(folder: Path, scores: Documents, choice: random.Random) -> None:
    """Write documents as museval does, or as archives have them: in test/ or not, gzipped."""
    root = folder / choice.choice(["", "test", "a/b"])
    root.mkdir(parents=True)
    packed = choice.random() < 0.3
    for name, document in scores.items():
        content = json.dumps(document).encode()
        path = root / (f"{name}.json.gz" if packed else f"{name}.json")
        path.write_bytes(gzip.compress(content) if packed else content)


def with_published_row(job: Job) -> Job:
    """The job with one more row, which the folder of published scores fills."""
    words = list(job.arguments)
    place = words.index("--rows") + 1
    rows = [*json.loads(words[place]), {"label": LABEL, "scores": [FOLDER]}]
    words[place] = json.dumps(rows)
    return replace(job, arguments=tuple(words))


def attack(tally: Tally, run: FinishedRun, box: Sandbox, count: int) -> None:
    """Give `count` folders of published scores, most of them wrong, to the tables' programs."""
    choice = random.Random(tally.seed)
    jobs = [with_published_row(run.by_program()[name][0]) for name in PROGRAMS]
    faults = [*CONTENTS.items(), *FOLDERS.items()]
    for number in range(count):
        fault, usable = faults[number % len(faults)]
        scores = documents(choice)
        folder = box.root / FOLDER
        if fault in CONTENTS:
            fault(scores, choice)  # type: ignore[arg-type]
        write(folder, scores, choice)
        if fault in FOLDERS:
            fault(folder, choice)  # type: ignore[arg-type]
        ends = [job.run(box.root, privileged=False) for job in jobs]
        judge(tally, fault.__name__, ends, box, by_hand(scores) if usable else None)
        remove(folder)
        box.restore()


def judge(tally: Tally, what: str, ends: list[Ended], box: Sandbox, expected: float | None) -> None:
    """Count an attempt: `expected` is the row's SDR in dB, or None if programs have to refuse."""
    output = "\n".join(end.output[-700:] for end in ends)
    refused = [end for end in ends if end.status]
    if expected is None:
        clear = [
            end
            for end in refused
            if "Traceback" not in end.output
            and len(end.errors) == len(end.lines) == 1
            and FOLDER in end.errors[0]
            and len(end.errors[0]) <= LONGEST_LINE
        ]
        if len(clear) == len(ends):
            tally.survived("refused in one line")
        else:
            tally.failed("used, or refused without a clear line", f"{what}: {output}")
        return
    if refused:
        tally.failed("refused, though it is right", f"{what}: {output}")
        return
    name = next(name for name in box.run.files if name.endswith("/tables/table1.csv"))
    table, before = (pd.read_csv(root / name) for root in (box.root, box.run.root))
    row = table["label"] == LABEL
    measured = ["variant", "sdr", "sdr_bass", "tracks"]
    same = table[~row][measured].reset_index(drop=True).equals(before[measured])
    if same and row.sum() == 1 and abs(table[row]["sdr"].item() - expected) < ROUNDING:
        tally.survived("used, with the right number")
    else:
        tally.failed("another number", f"{what}: {table[row]['sdr'].to_list()}, not {expected}")


def remove(folder: Path) -> None:
    """Remove the folder of an attempt, whatever stands in its place, and what it links to."""
    shutil.rmtree(folder.parent / "elsewhere", ignore_errors=True)
    if folder.is_dir():
        for path in folder.rglob("*"):
            if not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
