"""Table 2 and its figures: means and spreads by hand, equal in all formats, text escaped."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_tables import html_rows, latex_rows, markdown_rows

from upsampling.errors import UserError
from upsampling.figures.registry import render as draw
from upsampling.tables.table1_cells import Description
from upsampling.tables.table2 import COLUMNS, read_artifacts, summarise
from upsampling.tables.table2_cells import Row, render, table2

NASTY = "<b>50 % & more_</b> | $x$"
ROWS = [Row("loud", NASTY), Row("quiet", "Quiet"), Row("untrained", "Not trained", trained=False)]
DESCRIPTION = Description(epochs=4, channels=12)


def measured(variant: str, seed: int, stage: str, level: float) -> list[dict[str, object]]:
    """Rows whose tones stand out by `level` in music, and by 1, 2, 3 and 4 dB more elsewhere."""
    head = {"variant": variant, "seed": seed, "stage": stage}
    values: list[tuple[str, str, float | None, float, str]] = [
        ("silence", "tone_level", 11025.0, -200.0 if level == 0 else level - 100, "dBFS"),
        ("silence", "tone_level", 2756.25, -200.0 if level == 0 else level - 90, "dBFS"),
        ("silence", "comb_prominence_mean", 11025.0, level, "dB"),
        # A finer comb, which the table leaves out.
        ("silence", "comb_prominence_mean", 2756.25, 1e3, "dB"),
        ("music", "comb_prominence_mean", 11025.0, level, "dB"),
        ("white_noise", "notch_depth", 11025.0, -level, "dB"),
        ("white_noise", "notch_depth", 22050.0, 1e3, "dB"),
        ("weights", "notch_depth", 11025.0, 1e3, "dB"),
        ("weights", "polyphase_imbalance", 11025.0, 1e3, "1"),
        ("weights", "polyphase_imbalance", None, 1.5, "1"),
    ]
    for place, probe in enumerate(("white_noise", "sweep", "speech_like", "percussive"), start=1):
        values.append((probe, "comb_prominence_mean", 11025.0, level + place, "dB"))
    return [head | dict(zip(COLUMNS[3:], value, strict=True)) for value in values]


@pytest.fixture
def artifacts() -> pd.DataFrame:
    rows = []
    for seed, more in ((0, 0.0), (1, 2.0)):
        rows += measured("loud", seed, "initialised", 60.0 + more)
        rows += measured("loud", seed, "trained", 20.0 + more)
        rows += measured("untrained", seed, "initialised", 40.0)
        for stage in ("initialised", "trained"):
            rows += measured("quiet", seed, stage, 0.0)
    return pd.DataFrame(rows, columns=COLUMNS)


def test_means_and_spreads_over_seeds(artifacts) -> None:
    table = table2(artifacts, ROWS).set_index("variant")
    loud = table.loc["loud"]
    assert (loud["seeds"], loud["music_initialised"], loud["music_trained"]) == (2, 61.0, 21.0)
    # The standard deviation of two values that differ by 2.
    assert loud["music_initialised_spread"] == pytest.approx(2**0.5)
    assert loud["unseen_trained"] == pytest.approx(21 + 2.5)
    assert loud["silence_level_initialised"] == pytest.approx(61 - 90)
    assert (loud["notch_trained"], loud["imbalance_trained"]) == (-21, 1.5)
    assert table.loc["untrained"].filter(like="_trained").isna().all()
    assert table.loc["quiet", "silence_level_trained"] == -200


def test_what_was_not_measured_is_not_a_number() -> None:
    table = summarise(pd.DataFrame([], columns=COLUMNS), ["none"])
    assert table.drop(columns=["variant", "seeds"]).isna().all(axis=None)


def test_all_formats_have_the_same_cells(artifacts) -> None:
    texts = render(table2(artifacts, ROWS), "demo", DESCRIPTION)
    rows = html_rows(texts["html"])
    assert rows == markdown_rows(texts["md"])
    assert [row[0] for row in rows] == [NASTY, "Quiet", "Not trained"]
    assert rows[0][1:5] == ["-29.0 ± 1.4", "-69.0 ± 1.4", "61.0 ± 1.4", "21.0 ± 1.4"]
    assert rows[1][1:5] == ["none", "none", "0.0 ± 0.0", "0.0 ± 0.0"]
    assert rows[2][2] == "–"
    plain = [[cell.strip("{}") for cell in row] for row in latex_rows(texts["tex"])]
    assert [row[1:] for row in plain] == [row[1:] for row in rows]


def test_caption_says_the_scale_and_the_footnote_the_papers_claim(artifacts) -> None:
    texts = render(table2(artifacts, ROWS), "demo", DESCRIPTION)
    for suffix in ("md", "tex", "html"):
        assert "demo scale: 4 epochs, 12 channels; not comparable with the paper" in texts[suffix]
        assert "Sec. 6" in texts[suffix]
    assert "Table 2" in texts["html"]
    assert "Table 1" not in texts["html"] + texts["md"]
    assert "tab:table2" in texts["tex"]
    assert "<b>" not in texts["html"]
    note = texts["md"][texts["md"].index("Here, tones") :]
    assert "in music: &lt;b&gt;50 %" in note
    assert "Quiet" not in note
    assert "not comparable" not in render(table2(artifacts, ROWS), "paper", DESCRIPTION)["md"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_compiles(artifacts, tmp_path: Path) -> None:
    text = render(table2(artifacts, ROWS), "demo", DESCRIPTION)["tex"]
    (tmp_path / "table2.tex").write_text(text)
    (tmp_path / "document.tex").write_text(
        "\\documentclass[twocolumn]{article}\\usepackage{booktabs,siunitx}"
        "\\setlength{\\textwidth}{178mm}\\begin{document}\\input{table2.tex}\\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def panel(tmp_path: Path, name: str, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Draw a figure of the rows and return its arrays."""
    table.to_csv(tmp_path / "in.csv", index=False)
    rows = [{"name": row.variant, "title": row.label} for row in ROWS]
    paths = (tmp_path / f"{name}.pdf", tmp_path / f"{name}.png", tmp_path)
    written = draw(name, {"rows": rows}, [tmp_path / "in.csv"], *paths)
    with np.load(written[-1]) as stored:
        return dict(stored)


def test_changes_are_drawn_as_the_table_has_them(artifacts, tmp_path: Path) -> None:
    arrays = panel(tmp_path, "artifact_changes", artifacts)
    table = table2(artifacts, ROWS)
    assert arrays["variants"].tolist() == ["loud", "quiet", "untrained"]
    for name in ("unseen_trained", "silence_level_initialised", "notch_initialised_spread"):
        np.testing.assert_array_equal(arrays[name], table[name].to_numpy(float))


def test_distributions_are_drawn_value_by_value(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 20))
    line = 11025.0
    rows = [
        ["loud", seed, "initialised", "white_noise", "notch_depth", line, values[0, seed], "dB"]
        for seed in range(20)
    ]
    rows += [
        ["quiet", seed, "initialised", "silence", "tone_level", line, -200.0, "dBFS"]
        for seed in range(20)
    ]
    rows += [
        ["loud", None, stage, "weights", "tone_to_constant", line, value, "dB"]
        for stage, value in (("expected_q05", -12), ("expected_q50", 2), ("expected_q95", 23))
    ]
    arrays = panel(tmp_path, "distribution", pd.DataFrame(rows, columns=COLUMNS))
    np.testing.assert_array_equal(arrays["notch_depth"][0], values[0])
    assert np.isnan(arrays["notch_depth"][1:]).all()
    assert (arrays["tone_level"][1] == -200).all()


def test_a_broken_table_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"other\.csv cannot be read as artifact measures"):
        read_artifacts(tmp_path / "other.csv")
