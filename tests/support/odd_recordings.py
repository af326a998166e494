"""Odd recordings in a data set, and the preparation of its tracks.

A stored track is compared with the samples that were written, which NumPy rounds to 16 bits.
"""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from forked import Ended, program
from noise_tracks import RATE, write_noise
from tally import Tally

from upsampling.tracks.reading import STEMS
from upsampling.tracks.store import TrackStore

PREPARE = Path(__file__).parents[2] / "scripts" / "prepare_tracks.py"
LENGTH = 5000
LONGEST_LINE = 400
LONGEST_SECONDS = 60
RATES = (8000, 22050, 44100, 48000, 96000)
FORMATS = {
    "WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
    "WAVEX": ("PCM_16", "PCM_24", "FLOAT"),
    "RF64": ("PCM_16", "FLOAT"),
    "FLAC": ("PCM_16", "PCM_24"),
    "OGG": ("VORBIS",),
    "AIFF": ("PCM_16",),
}
# Steps of 16 bits by which formats of their own precision may differ.
TOLERANCES = {"PCM_U8": 130, "ULAW": 1100, "ALAW": 1100, "VORBIS": 65536}


def noise(choice: random.Random, channels: int = 2, length: int = LENGTH) -> np.ndarray:
    return np.random.default_rng(choice.randrange(2**31)).uniform(-0.9, 0.9, (length, channels))


def odd_values(value: float) -> Callable[[Path, random.Random], None]:
    """Noise in which some samples have `value`."""

    def write(path: Path, choice: random.Random) -> None:
        samples = noise(choice)
        samples[choice.randrange(LENGTH) :: 1000, choice.randrange(2)] = value
        soundfile.write(path, samples, RATE, subtype=choice.choice(("FLOAT", "DOUBLE")))

    return write


def odd_format(path: Path, choice: random.Random) -> None:
    container = choice.choice(list(FORMATS))
    subtype = choice.choice(FORMATS[container])
    rate, channels = choice.choice(RATES), choice.choice((1, 2, 2, 2, 6))
    channels = min(channels, 2) if container == "OGG" else channels
    soundfile.write(path, noise(choice, channels), rate, subtype=subtype, format=container)


def odd_length(path: Path, choice: random.Random) -> None:
    length = choice.choice((0, 1, 2, 17, LENGTH - 1, LENGTH + 1, 3 * LENGTH))
    soundfile.write(path, noise(choice, length=length), RATE, subtype="PCM_16")


def changed_bytes(path: Path, choice: random.Random) -> None:
    """Random bytes in the header."""
    content = bytearray(path.read_bytes())
    for _ in range(choice.choice((1, 4, 16))):
        content[choice.randrange(44)] = choice.randrange(256)
    path.write_bytes(content)


def cut_file(path: Path, choice: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: choice.choice((1, 11, 12, 20, 43, 44, 45, len(content) // 2))])


def announced_too_long(path: Path, choice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[40:44] = choice.choice((2**32 - 1, 2**31, 4 * LENGTH + 4)).to_bytes(4, "little")
    path.write_bytes(content)


def no_audio(path: Path, choice: random.Random) -> None:
    path.write_bytes(
        choice.choice((b"", b"\n", b"RIFF", b"text\n" * 100, b"\0" * 5000, b"ID3\3" * 99))
    )


def no_file(path: Path, choice: random.Random) -> None:
    path.unlink()
    kind = choice.choice(("missing", "folder", "dangling", "loop", "pipe", "device"))
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind != "missing":
        target = {"dangling": "nowhere", "loop": path.name, "device": "/dev/zero"}[kind]
        path.symlink_to(target)


def odd_name(path: Path, choice: random.Random) -> None:
    """The track's folder is renamed."""
    names = (
        "-rf", "a\nb", "e\u0301", "\u202egnp", "\U0001f600", "x" * 240, "a'b\"c", "{seed}", "$(id)",
        "..x", "a.stem.mp4", "CON", "One", "ONE", " ", "%s", "a\\b", "a:b",
        os.fsdecode(b"\xff\xfe"),
    )  # fmt: skip
    path.parent.rename(path.parent.with_name(choice.choice(names)))


def other_folders(path: Path, choice: random.Random) -> None:
    """Folders and files that are no tracks, beside the track."""
    name = choice.choice(("__MACOSX", ".hidden", "readme.txt", "empty", "Icon\r"))
    other = path.parent.with_name(name)
    if name == "readme.txt":
        other.write_text("text")
    else:
        other.mkdir()
        (other / "._mixture.wav").write_bytes(b"\0")


ODDITIES: dict[str, Callable[[Path, random.Random], None]] = {
    "format": odd_format,
    "length": odd_length,
    "not a number": odd_values(np.nan),
    "infinite": odd_values(np.inf),
    "minus infinite": odd_values(-np.inf),
    "beyond full scale": odd_values(1.5),
    "far beyond full scale": odd_values(1e30),
    "denormal": odd_values(1e-310),
    "changed header": changed_bytes,
    "cut": cut_file,
    "announced too long": announced_too_long,
    "no audio": no_audio,
    "no file": no_file,
    "name": odd_name,
    "other folders": other_folders,
}


@dataclass(frozen=True)
class Attempt:
    """A data set with one oddity, and how its preparation ended."""

    what: str
    root: Path
    odd: Path
    end: Ended


def attempt(kind: str, folder: Path, choice: random.Random) -> Attempt:
    """Write three tracks, make one file odd, and prepare the tracks."""
    root = folder / "set"
    for seed, (subset, name) in enumerate((("train", "One"), ("train", "Two"), ("test", "Odd"))):
        write_noise(root, subset, name, seed)
    stem = choice.choice(STEMS)
    path = root / "test" / "Odd" / f"{stem}.wav"
    ODDITIES[kind](path, choice)
    options = ["--dataset", "own", "--validation", "0.5", "--samplerate", str(RATE)]
    if choice.random() < 0.3:
        options += ["--beyond-full-scale", "scale"]
    arguments = [*options, "--root", str(root), "--store", str(folder / "store")]
    end = program(PREPARE, arguments, folder, limit=LONGEST_SECONDS)
    return Attempt(f"{kind}, {stem}, {' '.join(options[6:])}", root, path, end)


def judge(tried: Attempt, store: Path) -> tuple[bool, str]:
    """Whether a preparation ended well, and how."""
    end = tried.end
    if not end.in_time:
        return False, "took too long"
    if end.status == 0:
        return stored_as_written(tried, store), "stored"
    errors = end.errors
    if end.status != 1 or len(errors) != 1 or "Traceback" in end.output:
        return False, "gave a traceback or no message"
    if len(errors[0]) > LONGEST_LINE:
        return False, "gave a long line"
    named = any(word in end.output for word in ("Odd", "One", *names(tried.root)))
    return named, "refused in one line" if named else "did not name the track"


def names(root: Path) -> list[str]:
    """The names of the tracks to test on, as messages may show them."""
    found = [path.name for path in (root / "test").iterdir()]
    return [form for name in found for form in (name, ascii(name), repr(name), name[:60])]


def stored_as_written(tried: Attempt, store: Path) -> bool:
    """Compare each stored stem with its file, decoded as float64 and rounded by NumPy."""
    opened = TrackStore.open(store)
    opened.verify("train", "valid", "test")
    (track,) = opened.tracks("test")
    (folder,) = (path for path in (tried.root / "test").iterdir() if (path / "drums.wav").exists())
    stored = np.load(store / track.file)
    files = {stem: folder / f"{stem}.wav" for stem in STEMS}
    if not files["mixture"].exists():
        del files["mixture"]
    written = {stem: soundfile.read(path, always_2d=True)[0] for stem, path in files.items()}
    peak = max(float(np.abs(samples).max()) for samples in written.values())
    gain = 1 / peak if peak > 1.00002 else 1.0
    for stem, samples in written.items():
        expected = np.clip(np.round(samples * gain * 32768), -32768, 32767)
        tolerance = 1 + TOLERANCES.get(soundfile.info(files[stem]).subtype, 0)
        ours = stored[STEMS.index(stem)]
        if ours.shape != expected.shape or np.abs(ours - expected).max() > tolerance:
            return False
    return True


def attack(tally: Tally, count: int, folder: Path) -> None:
    """Prepare `count` data sets with one odd recording each."""
    choice = random.Random(tally.seed)
    kinds = list(ODDITIES)
    for number in range(count):
        place = folder / f"recording{number}"
        tried = attempt(kinds[number % len(kinds)], place, choice)
        good, how = judge(tried, place / "store")
        if good:
            tally.survived(how)
        else:
            tally.failed(how, f"{tried.what}: {tried.end.output[-500:]}")
