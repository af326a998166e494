"""The section `data` of a scale: its data set, and how its tracks are stored."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from upsampling.config.declared import Bounds, Pattern, Seed
from upsampling.config.mapping import canonical, whole

DEMO_KEYS = ("seed", "train", "valid", "test", "seconds", "test_seconds")
DATASETS = {
    "demo": "synthetic songs and one real recording",
    "own": "tracks of your own, as WAV files in the layout of MUSDB18-HQ",
    "musdb18": "MUSDB18",
    "musdb18hq": "MUSDB18-HQ",
    "musdb18_7s": "the 7-second edition of MUSDB18",
}
Folder = Annotated[str, Pattern(r"[^\x00-\x1f{}]{1,1000}", "write a path without braces")]
# The composer has names for 341 songs of each role; parts of shorter songs cannot hold a note.
Songs = Annotated[int, Bounds(minimum=1, maximum=341)]
SongSeconds = Annotated[float, Bounds(minimum=4, maximum=3600)]
Share = Annotated[float, Bounds(above=0, maximum=0.9)]
Validation = Literal["musdb"] | tuple[str, ...] | Share


@dataclass(frozen=True)
class DataSettings:
    """The data set of a scale."""

    dataset: Annotated[
        Literal["demo", "own", "musdb18", "musdb18hq", "musdb18_7s"],
        "own: your tracks, WAV files in the layout of MUSDB18-HQ",
    ]
    root: Annotated[Folder, "folder of train/ and test/, and of the download"]
    store: Annotated[Folder | None, "folder of the decoded tracks; null: root/store"] = None
    validation: Annotated[
        Validation,
        "tracks of train/ to validate on: names, a share such as 0.1, or musdb: its own fourteen",
    ] = "musdb"
    beyond_full_scale: Annotated[
        Literal["refuse", "scale"], "for a track with louder samples: all its stems are scaled"
    ] = "refuse"
    seed: Annotated[Seed, "of the demo songs"] = 0
    train: Annotated[Songs, "demo songs to train on"] = 8
    valid: Annotated[Songs, "demo songs to validate on"] = 2
    test: Annotated[Songs, "demo songs to test on"] = 2
    seconds: Annotated[SongSeconds, "length of a demo song"] = 24.0
    test_seconds: Annotated[SongSeconds, "length of a demo song to test on"] = 12.0

    @property
    def located(self) -> "DataSettings":
        """The same with the user's home for a leading ~, and with the default store."""
        root = Path(self.root).expanduser()
        store = Path(self.store or root / "store").expanduser()
        return replace(self, root=str(root), store=str(store))

    @property
    def demo_songs(self) -> str:
        """Canonical JSON of the settings of the demo songs; {} for other data sets."""
        if self.dataset != "demo":
            return canonical({})
        return canonical({key: getattr(self, key) for key in DEMO_KEYS} | {"real_track": True})

    def track_options(self, samplerate: int | None) -> list[str]:
        """Options of prepare_tracks.py that decide which tracks are stored, and how."""
        options = ["--samplerate", str(samplerate)] if samplerate else []
        if self.validation != "musdb":
            options += ["--validation", json.dumps(self.validation)]
        if self.beyond_full_scale != "refuse":
            options += ["--beyond-full-scale", self.beyond_full_scale]
        return options

    def preparation(self, samplerate: int | None) -> dict[str, Any]:
        """The settings of the store's tracks, as prepare_tracks.py records them."""
        return {
            "dataset": self.dataset,
            "demo": json.loads(self.demo_songs),
            "samplerate": samplerate,
            "validation": whole(self.validation),
            "beyond_full_scale": self.beyond_full_scale,
        }
