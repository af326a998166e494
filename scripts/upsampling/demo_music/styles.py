"""The styles of the demo songs: scales, chord progressions, rhythms, drum and bass patterns.

Patterns cover one bar of four beats, one character per sixteenth.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
# Degrees of the scale, 0 = tonic, one chord per bar.
PROGRESSIONS = {
    "major": ((0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 2, 3, 4), (1, 4, 0, 5)),
    "minor": ((0, 5, 2, 6), (0, 3, 6, 2), (0, 6, 5, 6), (0, 4, 5, 3), (5, 6, 0, 0)),
    "dorian": ((0, 3, 0, 3), (0, 6, 3, 0), (0, 2, 3, 6)),
    "mixolydian": ((0, 6, 3, 0), (0, 3, 6, 3), (0, 4, 6, 3)),
}
# One bar each: x starts a syllable, - holds it, . rests.
VERSE_RHYTHMS = (
    "..x-x-x-x---x---",
    "x-x-x-..x-x-x---",
    "....x-x-x-xxx---",
    "x---x-x---x-x-..",
    "x-xxx---x-x-....",
)
CHORUS_RHYTHMS = (
    "x-----x-x-----..",
    "x---x---x-------",
    "x-----x---x---x-",
    "x-------x-x-x---",
)


@dataclass(frozen=True)
class Feel:
    """A style: tempo range, swing, modes, drum and bass patterns, and the instruments that play.

    Drum patterns have one character per sixteenth: X accent, x normal, o ghost note. Bass patterns:
    r root, f fifth, o octave, p passing note toward the next root, - hold, . rest.
    `swing` delays the middle of each `swing_beats` beats by `swing` * `swing_beats` / 6 beats: 1 is
    the swing of triplets.
    """

    name: str
    tempo: tuple[float, float]
    modes: tuple[str, ...]
    verse: Mapping[str, str]
    chorus: Mapping[str, str]
    bass: tuple[str, str]
    bass_sound: str
    sounds: tuple[str, ...]
    swing: float = 0.0
    swing_beats: float = 0.5


EIGHTHS, SIXTEENTHS = "X.x.X.x.X.x.X.x.", "XoxoXoxoXoxoXoxo"
FOUR_ON_THE_FLOOR = "X...X...X...X..."
BACKBEAT = "....X.......X..."
# fmt: off
FEELS = (
    Feel(
        "pop", (98, 116), ("major", "minor"),
        {"kick": "X.....x.X.......", "snare": BACKBEAT, "hat": "x.o.x.o.x.o.x.o."},
        {"kick": "X..x..x.X..x....", "snare": "....X.......X..o", "hat": EIGHTHS},
        ("r-----r-r---f---", "r-r-r-r-f-r-r-p-"), "saw", ("pad", "pluck"),
    ),
    Feel(
        "rock", (124, 144), ("mixolydian", "minor", "major"),
        {"kick": "X.......X.x.....", "snare": BACKBEAT, "hat": EIGHTHS},
        {"kick": "X.x.....X.x...x.", "snare": BACKBEAT, "open": "X...X...X...X..."},
        ("r-r-r-r-r-r-r-p-", "r-r-r-r-r-r-o-p-"), "saw", ("keys", "pad"),
    ),
    Feel(
        "ballad", (70, 84), ("major", "minor"),
        {"kick": "X.........x.....", "snare": "........X.......", "hat": "x...o...x...o..."},
        {"kick": "X.....x...x.....", "snare": "........X......o", "hat": "x.o.x.o.x.o.x.o."},
        ("r-------f-----p-", "r---r---f---p---"), "string", ("keys", "pad"),
    ),
    Feel(
        "house", (117, 126), ("minor", "dorian"),
        {"kick": FOUR_ON_THE_FLOOR, "open": "..x...x...x...x.", "snare": "....o.......o..."},
        {"kick": FOUR_ON_THE_FLOOR, "open": "..X...X...X...X.", "snare": BACKBEAT, "hat": 16 * "o"},
        ("..r-..r-..r-..o-", "r.r-.or-..r-.rp-"), "saw", ("pad", "pluck"),
    ),
    Feel(
        "hip-hop", (82, 95), ("minor", "dorian"),
        {"kick": "X..x...x..X.....", "snare": BACKBEAT, "hat": "x.x.x.xxx.x.x.x."},
        {"kick": "X..x...x..X..x..", "snare": "....X..o....X...", "hat": "x.xxx.x.x.x.xxxx"},
        ("r--r------r---p-", "r--r---f--r---p-"), "string", ("keys", "pluck"),
        swing=0.5,
    ),
    Feel(
        "funk", (98, 110), ("dorian", "mixolydian"),
        {"kick": "X..X..x...X..x..", "snare": "....X..o.o..X..o", "hat": SIXTEENTHS},
        {"kick": "X..X..x...X..x..", "snare": "....X..o.o..X.oo", "hat": SIXTEENTHS},
        ("r..o..r-.fr..pp-", "r.ro..r-.fr.o.p-"), "saw", ("keys", "pluck"),
        swing=0.25,
    ),
    Feel(
        "bossa", (112, 128), ("major", "dorian"),
        {"kick": "x..ox..ox..ox..o", "rim": "x..x..x...x..x..", "hat": "o.o.o.o.o.o.o.o."},
        {"kick": "x..xx..xx..xx..x", "rim": "X..x..x...x..x..", "hat": "x.o.x.o.x.o.x.o."},
        ("r-----f-f-----r-", "r---r-f-f---f-p-"), "string", ("pluck", "keys"),
    ),
    Feel(
        "shuffle", (88, 108), ("mixolydian", "major"),
        {"kick": "X.......X.....x.", "snare": BACKBEAT, "hat": EIGHTHS},
        {"kick": "X.....x.X.....x.", "snare": BACKBEAT, "open": "X...x...X...x..."},
        ("r---r---f---o-p-", "r-r-f-f-o-o-f-p-"), "string", ("keys", "pad"),
        swing=0.62, swing_beats=1.0,
    ),
)
# fmt: on
