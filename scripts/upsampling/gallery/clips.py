"""The content of the page, read from files: takes of probes, excerpts, tables."""

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from upsampling.config.sections import STAGES
from upsampling.files import load_arrays
from upsampling.gallery import pictures, sound
from upsampling.gallery.glossary import MEASURES, PROBES, Words, words_for
from upsampling.measures.spectra import reference_magnitude, spectrogram

FLOOR = -150.0
INITIALISATION = "initialisation"
MIXTURE = "mixture"
BATCH = 16
# Of stationary noise, two seconds tell as much as all.
INITIALISATION_SECONDS = 2.0
PICTURES, PROBE_SOUNDS, EXCERPTS = range(3)
SIGNIFICANT = 5
REFERENCES: dict[bytes, float] = {}


@dataclass(frozen=True)
class Files:
    """Files of the page's content; texts are patterns with the names of what differs.

    `initialised`: {variant}; `probes`: {variant}, {seed}, {signal}, {stage}; `excerpts`: {variant},
    {seed}, {track}, {source}.
    """

    initialised: str
    probes: str
    excerpts: str
    artifacts: Path
    table1: Path


@dataclass
class Media:
    """Pictures and sounds waiting to be made, in the order in which they get room on the page."""

    waiting: list[tuple[tuple[int, int], dict[str, Any], str, Callable[[], str]]] = field(
        default_factory=list
    )

    def want(
        self, seed: int, kind: int, take: dict[str, Any], key: str, make: Callable[[], str]
    ) -> None:
        """Put what `make` returns under `take[key]`, if there is room for it."""
        take[key] = None
        self.waiting.append(((seed, kind), take, key, make))

    def fill(self, room: float, workers: int) -> int:
        """Make media until `room` characters are used up; return how many found no room.

        The first seed goes first, pictures before the probes' sounds, these before excerpts;
        `workers` are made at once.
        """
        entries = sorted(self.waiting, key=lambda entry: entry[0])
        left_out = 0
        with ThreadPoolExecutor(workers) as pool:
            for start in range(0, len(entries), BATCH):
                batch = entries[start : start + BATCH] if room > 0 else []
                made = pool.map(lambda entry: entry[3](), batch)
                for (_, take, key, _), uri in zip(batch, made, strict=True):
                    room -= len(uri)
                    take[key] = uri if room > 0 else None
                    left_out += room <= 0
                left_out += len(entries[start : start + BATCH]) - len(batch)
        return left_out


def probe_take(
    media: Media, path: Path, which: str, floor: float, seconds: float, seed: int
) -> dict[str, Any]:
    """One signal of a probe's file, `which` of 'input' and 'output', ready to be shown and heard.

    Keys: `picture` and `sound` (data URIs, or None), `level`, `constant`, `gain`, `silent` (see
    `Loudness`), `curve` (see `mean_curve`), `samplerate` in Hz, `seconds`, `floor` in dB, and
    whether the picture is `relative` to the input's maximum, not to full scale.
    """
    arrays = load_arrays(path, ("input", "output", "input_samplerate"))
    samplerate, samples = int(arrays["input_samplerate"]), arrays[which]
    seconds = min(seconds, len(samples) / samplerate)
    count = round(seconds * samplerate)
    zero = reference(arrays["input"])
    take: dict[str, Any] = asdict(sound.match_level(samples[:count])[1]) | {
        "curve": pictures.mean_curve(samples, samplerate),
        "samplerate": samplerate,
        "seconds": seconds,
        "floor": floor,
        "relative": bool(np.any(arrays["input"])),
    }

    # Both read the file again: the arrays of a hundred variants would not fit into memory.
    def seen() -> str:
        stored = load_arrays(path, (which,))[which]
        shown = spectrogram(stored, samplerate, zero, center=which == "input")
        return pictures.spectrogram_png(shown, floor, seconds)

    def heard() -> str:
        stored = load_arrays(path, (which,))[which][:count]
        return sound.probe(sound.match_level(stored)[0], samplerate)

    media.want(seed, PICTURES, take, "picture", seen)
    media.want(seed, PROBE_SOUNDS, take, "sound", heard)
    return take


def reference(samples: NDArray[Any]) -> float:
    """The `reference_magnitude` of an input, which is the same for many variants."""
    key = hashlib.sha256(samples.tobytes()).digest()
    if key not in REFERENCES:
        REFERENCES[key] = reference_magnitude(samples)
    return REFERENCES[key]


def takes(content: Mapping[str, Any], files: Files, media: Media) -> dict[str, Any]:
    """All takes of probes.

    `runs` as [variant][seed][probe][stage], `initialisation` as [variant]: the random models of
    Figs. 1 and 9; `inputs` as [probe]: the probes themselves, at the highest sampling rate.
    """
    seconds = content["settings"]["probe_seconds"]
    sources: dict[str, Path] = {}
    runs: dict[str, Any] = {}
    initial: dict[str, Any] = {}
    for variant in content["variants"]:
        name, floor = variant["name"], variant["floor"]
        path = Path(files.initialised.format(variant=name))
        initial[name] = probe_take(media, path, "output", floor, INITIALISATION_SECONDS, 0)
        prefer(sources, INITIALISATION, path)
        for order, seed in enumerate(content["seeds"]):
            for probe, stage in product(content["signals"], STAGES[: 1 + variant["trained"]]):
                path = Path(files.probes.format(variant=name, seed=seed, signal=probe, stage=stage))
                take = probe_take(media, path, "output", floor, seconds, order)
                run = runs.setdefault(name, {}).setdefault(str(seed), {})
                run.setdefault(probe, {})[stage] = take
                prefer(sources, probe, path)
    limits = {INITIALISATION: INITIALISATION_SECONDS}
    inputs = {
        probe: probe_take(media, path, "input", FLOOR, limits.get(probe, seconds), -1)
        for probe, path in sources.items()
    }
    return {"runs": runs, INITIALISATION: initial, "inputs": inputs}


def prefer(sources: dict[str, Path], probe: str, path: Path) -> None:
    """Keep for each probe the first file of the highest sampling rate."""
    if probe not in sources or sample_rate(path) > sample_rate(sources[probe]):
        sources[probe] = path


def sample_rate(path: Path) -> int:
    """The sampling rate in Hz of a probe's file."""
    return int(load_arrays(path, ("input_samplerate",))["input_samplerate"])


def excerpts(content: Mapping[str, Any], files: Files, media: Media) -> dict[str, Any]:
    """Separated music: `tracks`, `sources`, the `mixtures` as [track], `runs` as
    [variant][seed][track][source]."""
    scored = [variant["name"] for variant in content["variants"] if variant["scored"]]
    patterns = {
        (name, seed): files.excerpts.replace("{variant}", name).replace("{seed}", str(seed))
        for name in scored
        for seed in content["seeds"]
    }
    first = next(iter(patterns.values()), "")
    separated = track_files(first)
    tracks = list(separated)[: content["settings"]["tracks"]]
    seconds = content["settings"]["excerpt_seconds"]
    runs: dict[str, Any] = {}
    for (name, seed), pattern in patterns.items():
        order = content["seeds"].index(seed)
        runs.setdefault(name, {})[str(seed)] = {
            track: {
                source: excerpt(media, filled(pattern, track, source), seconds, order)
                for source in separated[track]
            }
            for track in tracks
        }
    mixtures = {
        track: excerpt(media, filled(first, track, MIXTURE), seconds, -1) for track in tracks
    }
    sources = list(dict.fromkeys(source for track in tracks for source in separated[track]))
    return {"tracks": tracks, "sources": sources, "mixtures": mixtures, "runs": runs}


def filled(pattern: str, track: str, source: str) -> Path:
    """The file of one separated source."""
    return Path(pattern.replace("{track}", track).replace("{source}", source))


def track_files(pattern: str) -> dict[str, list[str]]:
    """The sources of each track in the folder of `pattern`, both in alphabetical order."""
    names = sorted(path.name for path in Path(pattern).parent.glob("*.wav")) if pattern else []
    before, between, after = re.split(
        r"\{track\}|\{source\}", Path(pattern or "{track}{source}").name
    )
    found: dict[str, list[str]] = {}
    for name in names:
        if name.startswith(before) and name.endswith(f"{between}{MIXTURE}{after}"):
            track = name[len(before) : -len(f"{between}{MIXTURE}{after}")]
            start = f"{before}{track}{between}"
            sources = (n[len(start) : -len(after)] for n in names if n.startswith(start))
            found[track] = [source for source in sources if source != MIXTURE]
    return found


def excerpt(media: Media, path: Path, seconds: float, seed: int) -> dict[str, Any]:
    """The beginning of a WAV file, ready to be heard: `sound`, and the fields of `Loudness`."""
    import soundfile

    def read() -> tuple[sound.Samples, sound.Loudness]:
        frames = round(seconds * samplerate)
        samples, _ = soundfile.read(path, frames=frames, dtype="float64", always_2d=True)
        return sound.match_level(samples)

    samplerate = soundfile.info(path).samplerate
    take: dict[str, Any] = asdict(read()[1])
    media.want(seed, EXCERPTS, take, "sound", lambda: sound.opus(read()[0], samplerate))
    return take


def artifact_rows(path: Path, variants: list[str]) -> dict[str, Any]:
    """The table of artifacts, a row per variant, seed, probe, measure and frequency.

    `rows` hold places in `variants`, the seed, places in `probes` and `measures`, the frequency in
    Hz or None, and the value before and after training, None where there is none. `probes` and
    `measures` have `name`, `title` and `text`; measures a `unit`.
    """
    table = pd.read_csv(path)
    table = table[table["variant"].isin(variants) & table["stage"].isin(STAGES)]
    table = table.fillna({"probe": "", "unit": ""}).replace({"unit": {"1": ""}})
    probes, measures = list(dict.fromkeys(table["probe"])), list(dict.fromkeys(table["measure"]))
    units = dict(zip(table["measure"], table["unit"], strict=True))
    rows: dict[tuple[Any, ...], list[float | None]] = {}
    for record in table.to_dict("records"):
        key = (
            variants.index(record["variant"]),
            int(record["seed"]),
            probes.index(record["probe"]),
            measures.index(record["measure"]),
            None if math.isnan(record["frequency_hz"]) else record["frequency_hz"],
        )
        values: list[float | None] = rows.setdefault(key, [None, None])
        values[STAGES.index(record["stage"])] = number(record["value"])
    return {
        "probes": [described(name, PROBES) for name in probes],
        "measures": [described(name, MEASURES) | {"unit": units[name]} for name in measures],
        "rows": [[*key, *values] for key, values in sorted(rows.items(), key=order_of)],
    }


def described(name: str, known: Mapping[str, Words]) -> dict[str, str]:
    """A name with its words."""
    title, text = words_for(str(name), known)
    return {"name": str(name), "title": title, "text": text}


def order_of(item: tuple[tuple[Any, ...], Any]) -> tuple[Any, ...]:
    """Sorts rows of the artifact table; those without a frequency stand first."""
    *places, frequency = item[0]
    return (*places, -1.0 if frequency is None else frequency)


def number(value: float) -> float | None:
    """A finite number of five significant digits, or None."""
    return float(f"{value:.{SIGNIFICANT}g}") if math.isfinite(value) else None


def scores(path: Path) -> dict[str, dict[str, Any]]:
    """Table 1's numbers that cards show, per variant: `sdr`, `sdr_spread`, `parameters`."""
    table = pd.read_csv(path)
    own = table[table["variant"].notna()]
    return {
        str(row["variant"]): {
            "sdr": number(row["sdr"]),
            "sdr_spread": number(row["sdr_spread"]),
            "parameters": None if pd.isna(row["parameters"]) else int(row["parameters"]),
        }
        for row in own.to_dict("records")
    }
