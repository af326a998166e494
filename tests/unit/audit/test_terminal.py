"""The report as text: each layer once, the matrix in its order, the repair at the end."""

from upsampling.audit.terminal import text

REPORT = {
    "layers": [
        {
            "name": "decoder.ups.0",
            "stride": 8,
            "kernel_size": 16,
            "spacing_hz": 689.0625,
            "imbalance": 0.5,
            "imbalance_random": 7**0.5,
        },
        {
            "name": "head",
            "stride": 4,
            "kernel_size": None,
            "spacing_hz": 5512.5,
            "imbalance": None,
            "imbalance_random": None,
        },
    ],
    "attribution": {
        "input": "silence",
        "combs_hz": [5512.5, 689.0625],
        "as_is": [-40.04, -300.0],
        "flat": {"decoder.ups.0": [-40.04, -300.0], "head": [-210.0, -300.0]},
    },
    "verdict": "The verdict.",
    "notes": ["A note."],
}


def test_a_report_fits_a_terminal_and_says_everything():
    lines = text(REPORT).splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[1].split() == ["decoder.ups.0", "8", "16", "689.06", "0.500", "(2.65)"]
    assert lines[2].split() == ["head", "4", "-", "5512.5", "-"]
    assert lines[-4].split() == ["head", "-210.0", "-300.0"]
    assert lines[-2:] == ["The verdict.", "A note."]


def test_a_repair_has_its_rows():
    rows = [
        {"text": "level in silence (dBFS)", "before": -40.0, "after": -170.0},
        {"text": "change of the output", "before": None, "after": -20.0},
    ]
    lines = text({**REPORT, "repair": {"summary": "A summary.", "rows": rows}}).splitlines()
    assert lines[-3] == "A summary."
    assert lines[-2].split()[-2:] == ["-40.0", "-170.0"]
    assert lines[-1].split()[-2:] == ["-", "-20.0"]
