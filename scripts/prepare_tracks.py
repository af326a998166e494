"""Decode a data set into the track store; for `--dataset demo`, compose its songs first.

    python scripts/prepare_tracks.py --dataset demo --root demo_songs --store demo_songs/store \\
        --demo '{"seed": 0, "train": 1, "valid": 1, "test": 1, "seconds": 4, "test_seconds": 4}'
"""

from pathlib import Path
from typing import Any

from upsampling.arguments import json_or_file, parser
from upsampling.config.data import Validation
from upsampling.config.declared import read_settings
from upsampling.errors import command_line
from upsampling.files import write_json
from upsampling.tracks.building import Requirements, build_store
from upsampling.tracks.listing import SETTINGS, tracks_root
from upsampling.tracks.planning import PlannedTrack, check_plan, plan_tracks
from upsampling.tracks.reading import list_tracks

WAV = {"demo": True, "own": True, "musdb18": False, "musdb18hq": True, "musdb18_7s": False}


def validation(text: str) -> Any:
    """The word musdb, a share of the tracks, or a JSON list of names or a file of it."""
    if text == "musdb":
        return text
    value: Any = text
    try:
        value = float(text)
    except ValueError:
        value = json_or_file(text)
    kind: Any = Validation
    return read_settings(kind, value, "--validation")


def plan_demo(root: Path, settings: Any, workers: int) -> list[PlannedTrack]:
    """Compose the demo songs of `settings` below `root`, and plan their tracks."""
    # Imported here, since each decoding process imports this file and needs no synthesis.
    from upsampling.demo_music.songs import DemoSongs, copy_real_track, demo_names, write_demo

    songs = read_settings(DemoSongs, settings, "--demo")
    write_demo(root / "hq", songs, workers)
    plan = plan_tracks(root / "hq", True, "demo", demo_names("valid", songs.valid))
    if songs.real_track:
        copy_real_track(root / "stems")
        real = list_tracks(root / "stems", wav=False)
        plan += [PlannedTrack(track, "test", "real", "linear") for track in real]
    return plan


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--dataset", choices=WAV, required=True)
    options.add_argument("--root", type=Path, required=True, help="folder of train/ and test/")
    options.add_argument("--store", type=Path, required=True, help="folder of the track store")
    options.add_argument("--workers", type=int, default=1, help="decoding processes")
    options.add_argument(
        "--validation",
        type=validation,
        default="musdb",
        help="tracks of train/ to validate on: a JSON list of names, a share such as 0.1, or "
        "musdb's own list",
    )
    options.add_argument("--samplerate", type=int, help="of the models, in Hz; default: any")
    options.add_argument(
        "--beyond-full-scale",
        choices=("refuse", "scale"),
        default="refuse",
        help="for tracks with samples beyond full scale: refuse them, or scale all their stems",
    )
    options.add_argument(
        "--demo", type=json_or_file, default={}, help="the demo songs to compose, JSON or file"
    )
    arguments = options.parse_args()
    root, dataset = arguments.root, arguments.dataset
    if dataset == "demo":
        plan = plan_demo(root, arguments.demo, arguments.workers)
    else:
        folder = tracks_root(root) or root
        plan = plan_tracks(folder, WAV[dataset], dataset, arguments.validation)
    check_plan(plan, root)
    keys = ("dataset", "demo", "samplerate", "validation", "beyond_full_scale")
    write_json(arguments.store / SETTINGS, {key: getattr(arguments, key) for key in keys})
    needed = Requirements(arguments.samplerate, arguments.beyond_full_scale)
    build_store(arguments.store, plan, arguments.workers, needed)


if __name__ == "__main__":
    command_line(main)
