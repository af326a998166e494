"""All formats hold the same cells; the CSV holds the numbers at full precision."""

import io

import numpy as np
import pandas as pd
from table1_example import PLAIN, example_sheet, example_table
from table_texts import NASTY, html_rows, latex_rows, markdown_rows

from upsampling.tables.formats import in_all_formats
from upsampling.tables.latex import latex
from upsampling.tables.table1 import TABLE1_COLUMNS

TABLE = example_table()
TEXTS = in_all_formats(TABLE, example_sheet(), latex(example_sheet()))


def test_csv_is_exact_and_complete():
    read = pd.read_csv(io.StringIO(TEXTS["csv"]))
    assert list(read.columns) == TABLE1_COLUMNS
    np.testing.assert_array_equal(read["sdr"], TABLE["sdr"])
    np.testing.assert_array_equal(read["printed_sdr"], [5.35, np.nan, 3.23, 5.34])
    assert read["printed_parameters"].tolist()[0] == "703M"
    assert read["source"].tolist() == ["trained here", "trained here", "Stoller", "Défossez"]
    assert "737265008," in TEXTS["csv"]


def test_all_formats_hold_the_same_cells():
    rows = html_rows(TEXTS["html"])
    plain = [[cell.removeprefix("**").removesuffix("**") for cell in row]
             for row in markdown_rows(TEXTS["md"])]  # fmt: skip
    assert plain == rows
    # siunitx sets the separators between thousands.
    tex = [[cell.replace(",", "") for cell in row] for row in latex_rows(TEXTS["tex"])]
    assert tex == [[cell.replace(",", "") for cell in row] for row in rows]
    labels = [PLAIN, " ".join(NASTY.split()), "WaveUnet [2]", "Demucs [3]"]
    assert [row[0] for row in rows] == labels
    assert rows[0][1:] == [
        "2.75 ± 0.35", "a", "1.25", "2.25", "3.25", "4.25", "3.00", "2", "12.3", "4,212,345",
        "703M (737,265,008)", "5.35", "319", "703M",
    ]  # fmt: skip
    assert rows[3][1:] == ["–"] * 11 + ["5.34†", "–", "648M"]
    assert rows[1][1] == f"{TABLE['sdr'][1]:.2f}" == "-0.94"
