"""Files of the right name and checksum whose content no program wrote, and their readers."""

import copy
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from damage_attack import names
from finished_run import FinishedRun, Sandbox
from safetensors.numpy import load, save
from tally import Tally

from upsampling.files import checksum_path, sha256
from upsampling.training.checkpoint_file import CHECKSUM_OFFSET, NO_CHECKSUM

Content = bytes
WRONG_VALUES = (None, "x", -1, 10**30, 1e308, [], {}, [[]], True, float("nan"), "x" * 10_000)


def wrong_json(content: Content, choice: random.Random) -> Content:
    """A document of another shape, or with one value of another type or missing."""
    documents = [b"null", b"[]", b"{}", b'"x"', b"[" * 5000 + b"]" * 5000, b"\xff\xfe", b"{"]
    if choice.random() < 0.3:
        return choice.choice(documents)
    document = json.loads(content)
    place, steps = document, choice.randrange(1, 5)
    for _ in range(steps):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = choice.choice(keys)
        if steps == 1 or not isinstance(place[key], dict | list) or not place[key]:
            if choice.random() < 0.4:
                del place[key]
            else:
                place[key] = copy.deepcopy(choice.choice(WRONG_VALUES))
            break
        place, steps = place[key], steps - 1
    return json.dumps(document).encode()


def wrong_table(content: Content, choice: random.Random) -> Content:
    """A table without rows or a column, of other names, or with text for numbers."""
    lines = content.decode().splitlines()
    rows = [line.split(",") for line in lines]
    column, row = choice.randrange(len(rows[0])), choice.randrange(1, max(2, len(rows)))
    kind = choice.randrange(6)
    if kind == 0:
        return f"{lines[0]}\n".encode()
    if kind == 1:
        rows = [line[:column] + line[column + 1 :] for line in rows]
    elif kind == 2:
        rows[0][column] = "other"
    elif kind == 3 and row < len(rows):
        numbers = [place for place, cell in enumerate(rows[row]) if is_number(cell)]
        rows[row][choice.choice(numbers) if numbers else 0] = "many"
    elif kind == 4:
        rows.append(["x"] * (len(rows[0]) + 3))
    else:
        return content + b"\xff\xfe\0\n"
    return ("\n".join(",".join(line) for line in rows) + "\n").encode()


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def wrong_arrays(content: Content, choice: random.Random) -> Content:
    """Arrays that are missing, of another shape or type, not finite, or pickled."""
    with np.load(io.BytesIO(content)) as stored:
        arrays: dict[str, Any] = dict(stored)
    name = choice.choice(list(arrays))
    kind = choice.randrange(6)
    if kind == 0:
        del arrays[name]
    elif kind == 1:
        arrays[name] = np.zeros((0, 3))
    elif kind == 2:
        arrays[name] = np.array(["x"])
    elif kind == 3:
        arrays[name] = np.array([{"pickled": 1}], dtype=object)
    elif kind == 4:
        arrays[name] = np.full_like(arrays[name], 1, dtype=complex)
    buffer = io.BytesIO()
    if kind == 5:
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("x.npy", b"no array")
    else:
        np.savez(buffer, **arrays)
    return buffer.getvalue()


def wrong_tensors(content: Content, choice: random.Random) -> Content:
    """Tensors or metadata that are missing or of another shape or type, with a valid checksum."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    meta = json.loads(header.get("__metadata__", {"meta": "{}"})["meta"])
    tensors = load(content)
    name = choice.choice(list(tensors))
    kind = choice.randrange(6)
    if kind == 0:
        del tensors[name]
    elif kind == 1:
        tensors[name] = tensors[name].reshape(-1)[:1]
    elif kind == 2:
        tensors[name] = tensors[name].astype("float16")
    elif kind == 3:
        meta = choice.choice(WRONG_VALUES[:9])
    elif kind == 4:
        key = choice.choice(sorted(meta) or ["epoch"])
        meta[key] = choice.choice(WRONG_VALUES[:9])
    else:
        tensors = {}
    fields = {"crc32": NO_CHECKSUM, "meta": json.dumps(meta)}
    forged = bytearray(save(tensors, fields))
    place = forged.find(b'"crc32":"') + len(b'"crc32":"')
    if place == CHECKSUM_OFFSET:
        forged[place : place + 8] = f"{zlib.crc32(forged):08x}".encode()
    return bytes(forged)


def wrong_track(content: Content, choice: random.Random) -> Content:
    """A stored track of another type or shape, or pickled."""
    array = np.load(io.BytesIO(content))
    others = (array.astype(float), array[:2], array[..., :1], np.array([{}], dtype=object))
    buffer = io.BytesIO()
    np.save(buffer, choice.choice(others), allow_pickle=True)
    return buffer.getvalue()


def wrong_sound(content: Content, choice: random.Random) -> Content:
    """Sound without samples, or of another number of channels, or a text."""
    if choice.random() < 0.3:
        return b"text\n"
    samples, rate = soundfile.read(io.BytesIO(content), always_2d=True)
    others = (samples[:0], np.repeat(samples, 3, axis=1), samples * np.nan)
    buffer = io.BytesIO()
    soundfile.write(buffer, choice.choice(others), rate, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


FORGERIES: dict[str, Callable[[Content, random.Random], Content]] = {
    ".json": wrong_json,
    ".csv": wrong_table,
    ".npz": wrong_arrays,
    ".safetensors": wrong_tensors,
    ".npy": wrong_track,
    ".wav": wrong_sound,
    ".fingerprint": wrong_json,
}


def forge(path: Path, choice: random.Random) -> None:
    """Replace a file by a forged one, and its checksum, if it has one, by that of the forged."""
    path.write_bytes(FORGERIES[path.suffix](path.read_bytes(), choice))
    stored = checksum_path(path)
    if stored.exists():
        stored.write_text(f"{sha256(path)}  ../{path.name}\n")


def attack(tally: Tally, run: FinishedRun, box: Sandbox, count: int) -> None:
    """Forge `count` files that a job reads, one at a time, and run that job."""
    choice = random.Random(tally.seed)
    groups: dict[tuple, list[str]] = {}
    for name in run.files:
        path = Path(name)
        if path.suffix in FORGERIES and ".checksums" not in path.parts and run.readers(name):
            rules = sorted({job.rule for job in run.readers(name)})
            groups.setdefault((path.suffix, *rules), []).append(name)
    for number in range(count):
        name = choice.choice(list(groups.values())[number % len(groups)])
        forge(box.root / name, choice)
        job = choice.choice(run.readers(name))
        end = job.run(box.root)
        what = f"{job.rule}, {name}: {end.output[-700:]}"
        others = [other for other in box.changed() if not is_of(other, name)]
        if end.status and names(end, name):
            tally.survived("refused in one line")
        elif end.status:
            tally.failed("gave a traceback or another file's name", what)
        elif others:
            tally.failed("used", f"{what} {others[:4]}")
        else:
            tally.survived("without effect on other files, or replaced")
        box.restore()


def is_of(path: str, name: str) -> bool:
    """Whether `path` is the file `name` or its checksum."""
    return Path(path).name.removesuffix(".sha256") == Path(name).name
