"""Time and memory of the scoring engines on one track, as ratios measured in one run.

Each engine runs in its own process, on the same four stereo sources. The fast ones run before and
after museval, and the median of their times is compared with it, so that other load on the machine
changes the ratios little. Memory is that of the process beyond the audio.
"""

import argparse
import os
import resource
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from publishing import publish

RATE = 44100
SDR_ALONE, EXACT, MUSEVAL = "exact, SDR alone", "exact, all four", "museval, all four"
TARGETS = {SDR_ALONE: 500, EXACT: 8}
MEMORY_TARGET_GB = 1.5
TEXT = """\
# Cost of scoring a track

Written by `make bench`: BSSEval v4 of one track of {seconds} s, four stereo sources, on one thread,
each engine in its own process. The exact ones ran {repeats} times before and {repeats} times after
museval; listed are the medians, and the largest memory.

| engine | seconds | times faster than museval | target | GB beyond the audio | target |
|---|---|---|---|---|---|
"""


def tracks(seconds: int) -> tuple:
    """Four stereo references and estimates, float32 `[sources, samples, channels]`."""
    import numpy as np

    rng = np.random.default_rng(0)
    references = np.empty((4, 2, seconds * RATE), dtype=np.float32)
    for channel in references.reshape(8, -1):
        channel[:] = 0.1 * rng.standard_normal(channel.shape, dtype=np.float32)
    estimates = 0.8 * references
    for estimate in estimates:
        estimate += 0.05 * references[0]
    return references.swapaxes(1, 2), estimates.swapaxes(1, 2)


def resident_gb() -> float:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e9


def measure(case: str, seconds: int) -> tuple[float, float]:
    """Time in s of one engine, and its peak memory in GB beyond audio and imports."""
    from upsampling.scoring import bsseval
    from upsampling.tracks.decoder import ensure_ffmpeg

    ensure_ffmpeg()
    import museval  # noqa: F401  Its import counts for neither time nor memory.

    references, estimates = tracks(seconds)
    engine = "museval" if case == MUSEVAL else "exact"
    metrics: Sequence[str] = ("SDR",) if case == SDR_ALONE else bsseval.METRICS
    before, start = resident_gb(), time.perf_counter()
    bsseval.evaluate(references, estimates, RATE, engine, metrics=metrics)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return took, peak - before


def alone(case: str, seconds: int) -> tuple[float, float]:
    """`measure` in a new process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(measure, case, seconds).result()


def main() -> None:
    """Run all engines and print times, ratios and memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=240, help="length of the track")
    parser.add_argument("--repeats", type=int, default=3, help="runs of the fast engines, each way")
    parser.add_argument("--output", type=Path, help="Markdown file; default: standard output")
    arguments = parser.parse_args()

    # One thread each, as the tracks of a job are scored side by side.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    order = [*TARGETS] * arguments.repeats + [MUSEVAL] + [*TARGETS] * arguments.repeats
    runs: dict[str, list[tuple[float, float]]] = {case: [] for case in (*TARGETS, MUSEVAL)}
    for case in order:
        runs[case].append(alone(case, arguments.seconds))
    times = {case: statistics.median(took for took, _ in pairs) for case, pairs in runs.items()}
    text = TEXT.format(seconds=arguments.seconds, repeats=arguments.repeats)
    for case, pairs in runs.items():
        cells = [case, f"{times[case]:.3g}", f"{times[MUSEVAL] / times[case]:.1f}"]
        memory = f"{max(peak for _, peak in pairs):.2f}"
        if case in TARGETS:
            cells += [f"{TARGETS[case]}", memory, f"{MEMORY_TARGET_GB}"]
        else:
            cells += ["", memory, ""]
        text += f"| {' | '.join(cells)} |\n"
    publish(text, arguments.output)


if __name__ == "__main__":
    main()
