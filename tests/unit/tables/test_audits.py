"""The table of audits has the numbers of their reports."""

import csv
import io
from pathlib import Path

import pytest
from audit_results import audit_network, audit_recordings, content
from noted import assert_noted
from table_texts import markdown_rows

from upsampling.files import write_json
from upsampling.tables.audits import AuditRow, audits_table, level, number, render
from upsampling.tables.sheet import MISSING

NOTED = Path(__file__).with_name("noted")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audits")
    recordings, _ = audit_recordings(folder)
    network, _ = audit_network(folder, "--repair", str(folder / "repaired.safetensors"))
    return recordings, network


@pytest.fixture(scope="module")
def table(reports):
    rows = [AuditRow("songs", "Songs"), AuditRow("vocoder", "50 % <b>vocoder_</b>")]
    return audits_table(rows, reports)


def test_a_network_has_its_reports_numbers(table, reports):
    report = content(reports[1])
    row = table.iloc[0]
    assert row["audit"] == "vocoder"
    assert (row["samplerate"], row["total_stride"], row["layers"]) == (24000, 20, 2)
    assert row["silence_dbfs"] == report["silence"]["level_dbfs"]
    assert row["constant_dbfs"] == report["constants"]["level_dbfs"]["median"]
    assert row["repaired_dbfs"] < row["silence_dbfs"] - 100
    excess = [comb["excess_db"]["latent_noise"] for comb in report["combs"]]
    assert row["excess_db"] == max(excess)
    clearest = report["combs"][excess.index(max(excess))]
    assert row["comb_hz"] == clearest["spacing_hz"]
    assert row["made_by"] == ", ".join(clearest["made_by"])


def test_the_clearest_comb_is_the_loudest_whichever_comes_first(reports, tmp_path):
    report = content(reports[1])
    report["combs"] = report["combs"][::-1]
    made_by = report["probes"]["latent_noise"]["made_by"]
    report["probes"]["latent_noise"]["made_by"] = made_by[::-1]
    write_json(tmp_path / "turned.json", report)
    rows = audits_table([AuditRow("a", "A")] * 2, [reports[1], tmp_path / "turned.json"])
    assert rows["comb_hz"].nunique() == rows["made_by"].nunique() == 1


def test_recordings_have_the_clearest_comb_and_counts(table):
    row = table.iloc[1]
    assert (row["audit"], row["files"], row["files_with_comb"]) == ("songs", 2, 1)
    assert row["comb_hz"] == pytest.approx(44100 / 512)
    assert row["total_stride"] == pytest.approx(512)
    assert row["excess_db"] > 10


def test_all_formats_hold_the_rows(table):
    texts = render(table)
    stored = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert [row["audit"] for row in stored] == ["vocoder", "songs"]
    assert float(stored[0]["silence_dbfs"]) == table["silence_dbfs"][0]
    assert r"50 \% <b>vocoder\_</b>" in texts["tex"].replace(r"\textless{}", "<").replace(
        r"\textgreater{}", ">"
    )
    assert "<b>vocoder" not in texts["html"]
    assert "1 of 2" in texts["md"]
    assert f"{table['excess_db'][0]:.1f}" in markdown_rows(texts["md"])[0]


def test_levels_of_silence_have_no_number():
    assert level(-300.0) == "none"
    assert level(None) == MISSING
    assert level(-56.72) == "-56.7"
    assert number(5512.5, 2) == "5512.50"


def test_the_whole_table_is_the_one_that_was_noted(table):
    # The repaired network's lines are rounding.
    texts = render(table.assign(repaired_dbfs=-150.0))
    del texts["csv"]
    assert_noted(NOTED / "audits.txt", "\n".join(texts.values()).splitlines())
