"""Words: the verdict, advice, the gate, and the report as text."""

import pytest

from upsampling.audit.verdict import advice, failures, hertz, listed, stands_out, text, verdict


def report(**changes):
    base = {
        "layers": [
            {"name": "up", "imbalance": 0.5, "imbalance_random": 1.0},
            {"name": "head", "imbalance": None, "imbalance_random": None},
        ],
        "silence": {
            "level_dbfs": -40.0,
            "floor_dbfs": -200.0,
            "settled": True,
            "difference_dbfs": -300.0,
            "lines": [
                {"frequency_hz": 86.1328125, "level_dbfs": -60.0, "layers": ["up"]},
                {"frequency_hz": 5512.5, "level_dbfs": -40.1, "layers": ["head"]},
            ],
        },
        "constants": {
            "count": 12,
            "level_dbfs": {"median": -35.0, "minimum": -44.0, "maximum": -30.0},
        },
        "attribution": {"as_is": [-60.0, -40.1]},
        "combs": [
            {
                "spacing_hz": 5512.5,
                "made_by": ["head", "up"],
                "excess_db": {"silence": 40.0, "constant": 0.0, "music": 9.0},
                "error_db": {"silence": 0.0, "constant": 0.0, "music": 1.0},
            },
            {
                "spacing_hz": 86.1328125,
                "made_by": ["up"],
                "excess_db": {"silence": 0.0, "constant": 0.0, "music": None},
                "error_db": {"silence": 0.0, "constant": 0.0, "music": None},
            },
        ],
        "probes": {"music": {"excess_db": [9.0, None], "tones": [{"prominent": True}]}},
    }
    return base | changes


def test_the_verdict_names_lines_layers_and_sounds():
    text = verdict(report())
    assert "2 lines, together at -40.0 dBFS; the loudest is 5512.5 Hz at -40.1 dBFS" in text
    assert "12 random constants the lines have -35.0 dBFS (median; -44.0 to -30.0)" in text
    assert "5512.5 Hz and its multiples (-60.0 dBFS): head and up together." in text
    assert text.index("86.13 Hz and its multiples") < text.index("5512.5 Hz and its multiples")
    assert "In music the comb stands out at 5512.5 Hz by 9.0 dB; ECMA-418-1 calls them" in text
    assert "does not settle" not in text


def test_silence_without_lines_and_layers_are_said():
    silent = report()["silence"] | {"lines": [], "level_dbfs": -300.0}
    assert "no line above its rounding (-200 dBFS)" in verdict(report(silence=silent))
    assert "No layer was found" in verdict(report(layers=[]))
    restless = report()["silence"] | {"settled": False, "difference_dbfs": -70.0}
    assert "differ by -70 dBFS" in verdict(report(silence=restless))


@pytest.mark.parametrize(("limit", "count"), [(5.0, 2), (6.5, 1), (50.0, 0)])
def test_the_gate_asks_for_more_than_chance(limit, count):
    """9 dB with an error of 1 dB is above 5 dB by three errors, and not above 6.5 dB."""
    found = failures(report(), limit)
    assert len(found) == count
    if count:
        assert "5512.5 Hz stands 40.0 dB above its surroundings in silence" in found[0]
    comb = report()["combs"][1]
    assert not stands_out(comb, "music", 0.0)
    exact = {"excess_db": {"music": 5.0}, "error_db": {"music": 0.0}}
    assert stands_out(exact, "music", 4.9)
    assert not stands_out(exact, "music", 5.0)


def test_advice_fits_the_layers():
    text = " ".join(advice(report()))
    assert "Repair the weights of up " in text
    assert "head writes a signal of its own per frame" in text
    clean = [comb | {"made_by": []} for comb in report()["combs"]]
    assert advice(report(combs=clean)) == [
        "Nothing needs to be done: no layer makes a line of a constant."
    ]


def test_numbers_and_lists_read_well():
    assert [hertz(one) for one in (86.1328125, 11025.0, 5512.5, 100.0)] == [
        "86.13 Hz",
        "11025 Hz",
        "5512.5 Hz",
        "100 Hz",
    ]
    assert [listed(one) for one in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


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
