"""Decode a data set (or make the demo songs) and write the track store."""

import argparse
import json
from pathlib import Path

from upsampling.errors import UserError, command_line
from upsampling.tracks.building import Planned, build_store, plan_tracks
from upsampling.tracks.download import tracks_root
from upsampling.tracks.reading import list_tracks

WAV = {"demo": True, "musdb18": False, "musdb18hq": True, "musdb18_7s": False}


def json_or_musdb(text: str) -> list[str] | str:
    """A JSON list of names, or the word musdb."""
    return text if text == "musdb" else json.loads(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", choices=WAV, required=True)
    parser.add_argument("--root", type=Path, required=True, help="raw data: train/ and test/")
    parser.add_argument("--store", type=Path, required=True, help="folder of the track store")
    parser.add_argument("--workers", type=int, default=1, help="decoding processes")
    parser.add_argument("--validation", type=json_or_musdb, default="musdb", help="JSON or musdb")
    keys = "seed, train, valid, test, seconds, test_seconds, real_track"
    parser.add_argument("--demo", type=json.loads, default={}, help=f"JSON object: {keys}")
    return parser.parse_args()


def prepare_demo(root: Path, settings: dict, workers: int) -> list[Planned]:
    # Here, since every decoding process imports this file and has no use for the synthesis.
    from upsampling.demo_music.songs import copy_real_track, demo_validation_names, write_demo

    songs = {key: value for key, value in settings.items() if key != "real_track"}
    try:
        write_demo(root / "hq", **songs, workers=workers)
    except TypeError as error:
        raise UserError(f"--demo: {error}") from None
    plan = plan_tracks(root / "hq", True, "demo", demo_validation_names(songs["valid"]))
    if settings.get("real_track"):
        copy_real_track(root / "stems")
        plan += [Planned(t, "test", "real", "linear") for t in list_tracks(root / "stems", False)]
    return plan


def main() -> None:
    options = arguments()
    root, name = options.root, options.dataset
    if name == "demo":
        plan = prepare_demo(root, options.demo, options.workers)
    else:
        plan = plan_tracks(tracks_root(root) or root, WAV[name], name, options.validation)
    build_store(options.store, plan, options.workers)


if __name__ == "__main__":
    command_line(main)
