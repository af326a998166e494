"""Speed of the track store, against decoding and against the consumption of training.

Twenty synthetic songs are composed and stored, and one is encoded like MUSDB18's stems (AAC). An
example is that of training: four sources of one segment, shifted, flipped and remixed.
Decoding gives the same segment of four sources from the stem file, cut out by ffmpeg. Both, and
the training step that consumes examples, are timed in turns on one thread, and the median is taken.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from publishing import publish

os.environ["OMP_NUM_THREADS"] = "1"
RATE = 44100
WIDTH, BATCH = 16, 4
TARGET = 50
TEXT = """\
# Speed of the track store

Written by `make bench`: examples of four stereo sources, {seconds:g} s each, from a store of
{songs} synthetic songs of {length:g} s ({megabytes:.0f} MB), on one thread; medians of {rounds}
rounds, in which store, decoder and training (batches of {batch}) alternate.

| source or consumer of examples | examples per second | store relative to it |
|---|---|---|
| track store, shifted, flipped and remixed | {store:.0f} | 1 |
| AAC stem file, through stempeg and ffmpeg | {decoding:.2f} | {store_decoding:.0f} |
| training step, transposed, width {width} | {training:.2f} | {store_training:.0f} |

The target is {target} times the consumption of the training step. Memory of the process beyond
mapped files grew by {grown:.1f} MB while {read} examples were read; opening the store took
{opening:.1f} ms.
"""


def anonymous_memory() -> int:
    """Bytes of this process's memory that no file is mapped to."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("RssAnon")))


def write_stems(path: Path, stems: Any) -> None:
    """Encode int16 `[5, samples, 2]` as the five AAC streams of a stem file."""
    from upsampling.tracks.decoder import ensure_ffmpeg

    ensure_ffmpeg()
    import stempeg

    writer = stempeg.StreamsWriter(codec="aac", bitrate="256000")
    stempeg.write_stems(str(path), stems / 32768, sample_rate=RATE, writer=writer)


def decode(path: Path, seconds: float, starts: Any) -> None:
    """Cut one segment of four sources out of the stem file at `path`."""
    import stempeg

    for stream in range(1, 5):
        stempeg.read_stems(
            str(path), stem_id=stream, start=float(next(starts)), duration=seconds, sample_rate=RATE
        )


def rate(work: Callable[[], Any], count: int) -> float:
    """Examples per second of `work`, which does `count` at once."""
    start = time.perf_counter()
    work()
    return count / (time.perf_counter() - start)


def measure(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Compose the songs in `folder`; time the store, the decoder and training."""
    import numpy as np
    import torch
    from training_step import training_step

    from upsampling.config.model import DemucsLikeSettings
    from upsampling.config.training import TrainingSettings
    from upsampling.demo_music.songs import DemoSongs, demo_names, make_song, write_demo
    from upsampling.models import build
    from upsampling.tracks.building import build_store
    from upsampling.tracks.planning import plan_tracks
    from upsampling.tracks.segments import Dataset
    from upsampling.tracks.store import TrackStore

    length = arguments.length
    songs = DemoSongs(0, arguments.songs - 2, valid=1, test=1, seconds=length, test_seconds=length)
    write_demo(folder / "hq", songs, workers=2)
    plan = plan_tracks(folder / "hq", True, "demo", demo_names("valid", 1))
    build_store(folder / "store", plan, 2)
    write_stems(folder / "song.stem.mp4", make_song(0, "train", 0, arguments.length))

    start = time.perf_counter()
    store = TrackStore.open(folder / "store")
    opening = 1000 * (time.perf_counter() - start)
    model = build(DemucsLikeSettings(channels=WIDTH))
    samples = model.input_length(round(arguments.seconds * RATE))
    settings = TrainingSettings(
        segment_seconds=arguments.seconds, examples_per_epoch=arguments.examples
    )
    examples = Dataset(store, "train", settings, 0, samples)
    batch = torch.from_numpy(np.stack([examples.example(0, n) for n in range(BATCH)]))
    step = training_step(model, batch.sum(dim=1), batch)
    latest = arguments.length - arguments.seconds
    starts = iter(np.random.default_rng(0).uniform(0, latest, 100 + 4 * 4 * arguments.rounds))

    def read_all() -> None:
        for number in range(arguments.examples):
            examples.example(1, number)

    def decode_some() -> None:
        for _ in range(4):
            decode(folder / "song.stem.mp4", arguments.seconds, starts)

    step(), read_all()
    before = anonymous_memory()
    read_all()
    grown = (anonymous_memory() - before) / 1e6
    rates: dict[str, list[float]] = {"store": [], "decoding": [], "training": []}
    for _ in range(arguments.rounds):
        rates["store"].append(rate(read_all, arguments.examples))
        rates["decoding"].append(rate(decode_some, 4))
        rates["training"].append(rate(step, BATCH))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for other in ("decoding", "training"):
        ratios = [s / o for s, o in zip(rates["store"], rates[other], strict=True)]
        medians[f"store_{other}"] = statistics.median(ratios)
    megabytes = sum(path.stat().st_size for path in (folder / "store").iterdir()) / 1e6
    return medians | {"grown": grown, "opening": opening, "megabytes": megabytes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=20)
    parser.add_argument("--length", type=float, default=30.0, help="seconds of each song")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds of each example")
    parser.add_argument("--examples", type=int, default=1000, help="read in each round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, help="Markdown file; default: standard output")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), arguments)
    text = TEXT.format(
        **results,
        **vars(arguments),
        width=WIDTH,
        batch=BATCH,
        target=TARGET,
        read=arguments.examples,
    )
    publish(text, arguments.output)


if __name__ == "__main__":
    main()
