"""Table 1: the same numbers in every format, the paper's apart, and no text that acts as markup."""

import html
import json
import math
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from upsampling.errors import UserError
from upsampling.scoring import significance
from upsampling.tables import latex, markdown_html, table1, table1_cells

SCRIPTS = Path(__file__).parents[2] / "scripts"
SOURCES = ("drums", "bass", "other", "vocals")
NASTY = "[2] <script>alert('x')</script> & a_b 50% \\input{/etc/passwd} | `c` *s* ~^$#{}\n-- \"é\""
PLAIN = "Demucs-like (Fig. 1, b): transposed CNN (full-overlap)"
NOTE = "With randomized equivariant stabilization: 5.58 dB SDR."
ROWS: list[dict] = [
    {
        "variant": "transposed",
        "label": PLAIN,
        "paper": {"sdr": 5.35, "epoch_seconds": 319, "parameters": "703M"},
    },
    {"variant": "untrained", "label": "Not trained", "trained": False},
    {"variant": "mine", "label": NASTY, "paper": None},
    {"label": "WaveUnet [2]", "source": "Stoller", "paper": {"sdr": 3.23, "parameters": "10M"}},
    {
        "label": "Demucs [3]",
        "source": "Défossez",
        "paper": {"sdr": 5.34, "parameters": "648M"},
        "note": NOTE,
    },
]
DESCRIPTION = {"data_set": "synthetic <songs>", "test_tracks": 2, "epochs": 5, "channels": 8}
COUNTS = {"parameters": 4212345, "parameters_paper": 737265008}


def scores(*levels: float, real: float | None = None) -> pd.DataFrame:
    """Scores of two demo tracks whose SDR is `levels` per source, and of a real one at `real`."""
    columns = ["track", "origin", "source", "frame", "metric", "value"]
    rows = []
    for source, level in zip(SOURCES, levels, strict=True):
        for track, offset in (("A", -0.125), ("B", 0.125)):
            values = (level + offset, math.nan, level + offset - 9, level + offset + 2)
            rows += [(track, "demo", source, n, "SDR", value) for n, value in enumerate(values)]
        if real is not None:
            rows.append(("Falcon", "real", source, 0, "SDR", real))
    return pd.DataFrame(rows, columns=columns)


MEASURED = table1.Measurements(
    scores={
        "transposed": {
            "0": scores(1.0, 2.0, 3.0, 4.005, real=2.75),
            "1": scores(1.5, 2.5, 3.5, 4.505, real=3.25),
        },
        "mine": {"0": scores(-7.0, 0.25, 1.0, 2.0, real=1.0)},
    },
    timings={"transposed": {"0": pd.Series([9.0, 12.34, 13.0]), "1": pd.Series([12.34])}},
    parameters={"transposed": COUNTS},
)


# The first of two rows differs from the second.
COMPARISONS = pd.DataFrame(
    [("transposed", "mine", 50, 3.69, 3.0, 4.0, 1e-3, 1e-3, True)], columns=significance.COLUMNS
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return table1.table1(table1.read_rows(ROWS), MEASURED, comparisons=COMPARISONS)


@pytest.fixture(scope="module")
def texts(table: pd.DataFrame) -> dict[str, str]:
    return table1_cells.render(table, "demo", table1_cells.Description(**DESCRIPTION))  # type: ignore[arg-type]


class Cells(HTMLParser):
    """Collects table rows, and checks that tags nest."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & {*self.open}:
            self.rows[-1][-1] += data


def html_rows(text: str) -> list[list[str]]:
    parser = Cells()
    parser.feed(text)
    assert not parser.open
    return parser.rows[2:]


def markdown_rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [[html.unescape(re.sub(r"\\(.)", r"\1", c)) for c in row] for row in cells]


def latex_rows(text: str) -> list[list[str]]:
    body = text[text.index("\\midrule") : text.index("\\bottomrule")]
    lines = [line.removesuffix(r" \\") for line in body.splitlines() if line.endswith(r" \\")]
    return [[unescape_latex(cell) for cell in re.split(r"(?<!\\) & ", line)] for line in lines]


def unescape_latex(text: str) -> str:
    names = {
        "textbackslash": "\\", "textasciicircum": "^", "textasciitilde": "~", "textless": "<",
        "textgreater": ">", "textbar": "|", "char34": '"', "textendash": "–", "textdagger": "†",
    }  # fmt: skip
    text = text.removeprefix("\\bfseries ")
    text = re.sub(r"\{\$\{\}\\pm\{\}\$(.*)\}$", r" ± \1", text)
    text = re.sub(r"\{\\textsuperscript\{(.*)\}\}$", r"\1", text).replace(r"$\pm$", "±")
    text = re.sub(r"^\{([^\[\]*].*)\}$", r"\1", text)
    pattern = r"\\([a-z]+\d*)\{\}|\\([&%$#_{}])|\{([\[\]*])\}|([-'`,])\{\}"

    def restore(match: re.Match) -> str:
        return names[match[1]] if match[1] else match[2] or match[3] or match[4]

    rest = re.sub(pattern, "", text)
    assert not {*rest} & {*'\\&%$#_{}^~[]*|<>"'}, rest
    return re.sub(pattern, restore, text)


def test_aggregates_spread_and_real_track(table: pd.DataFrame) -> None:
    row = table.iloc[0]
    by_seed = [np.mean([1.0, 2.0, 3.0, 4.005]), np.mean([1.5, 2.5, 3.5, 4.505])]
    assert row["sdr"] == pytest.approx(np.mean(by_seed), abs=1e-12)
    assert row["sdr_spread"] == pytest.approx(math.sqrt(0.125), abs=1e-12)
    assert [row[f"sdr_{s}"] for s in SOURCES] == pytest.approx([1.25, 2.25, 3.25, 4.255])
    assert row["sdr_real_track"] == 3.0
    assert (row["tracks"], row["seeds"]) == (2, 2)
    assert row["epoch_seconds"] == 12.34
    assert (row["parameters"], row["parameters_paper"]) == (4212345, 737265008)
    assert table["variant"].tolist() == ["transposed", "mine", "", ""]
    assert math.isnan(table["sdr_spread"][1])


def test_real_tracks_alone_are_the_test_set() -> None:
    everything = scores(1.0, 2.0, 3.0, 4.0).assign(origin="real")
    measured = table1.Measurements({"v": {"0": everything}}, {}, {})
    row = table1.table1(table1.read_rows([{"variant": "v", "label": "v"}]), measured).iloc[0]
    assert row["sdr"] == 2.5
    assert math.isnan(row["sdr_real_track"])


def test_csv_is_exact_and_complete(table: pd.DataFrame, texts: dict, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(texts["csv"])
    back = pd.read_csv(tmp_path / "t.csv")
    assert list(back.columns) == table1.COLUMNS
    np.testing.assert_array_equal(back["sdr"], table["sdr"])
    assert back["printed_sdr"].tolist() == pytest.approx([5.35, math.nan, 3.23, 5.34], nan_ok=True)
    assert back["printed_parameters"].tolist()[0] == "703M"
    assert back["source"].tolist() == ["trained here", "trained here", "Stoller", "Défossez"]
    assert "737265008," in texts["csv"]


def test_all_formats_hold_the_same_cells(table: pd.DataFrame, texts: dict) -> None:
    rows, md = html_rows(texts["html"]), texts["md"]
    bold = [[cell.removeprefix("**").removesuffix("**") for cell in r] for r in markdown_rows(md)]
    assert bold == rows
    # siunitx sets the separators between thousands.
    plain = [[cell.replace(",", "") for cell in row] for row in latex_rows(texts["tex"])]
    assert plain == [[cell.replace(",", "") for cell in row] for row in rows]
    assert [row[0] for row in rows] == [
        PLAIN,
        " ".join(NASTY.split()),
        "WaveUnet [2]",
        "Demucs [3]",
    ]
    assert rows[0][1:] == [
        "2.75 ± 0.35", "a", "1.25", "2.25", "3.25", "4.25", "3.00", "2", "12.3", "4,212,345",
        "703M (737,265,008)", "5.35", "319", "703M",
    ]  # fmt: skip
    assert rows[3][1:] == ["–"] * 11 + ["5.34†", "–", "648M"]
    assert rows[1][1] == f"{table['sdr'][1]:.2f}" == "-0.94"


def test_printed_columns_are_headed_as_printed(texts: dict) -> None:
    heads = texts["md"].splitlines()[2]
    assert heads.count("Printed in the paper: ") == 3
    assert "\\multicolumn{3}{c}{Printed in the paper}" in texts["tex"]
    assert '<th scope="colgroup" colspan="3">Printed in the paper</th>' in texts["html"]


@pytest.mark.parametrize("suffix", ["md", "tex", "html"])
def test_caption_and_footnotes(suffix: str, texts: dict, table: pd.DataFrame) -> None:
    text = texts[suffix]
    assert "2 test tracks, 5 epochs, 8 channels; not comparable with the paper." in text
    assert "With randomized equivariant stabilization: 5.58 dB SDR." in text
    assert "1,048,576; the 648M of Demucs is a decimal figure" in text
    at_paper_scale = table1_cells.render(table, "paper", table1_cells.Description())[suffix]
    assert "not comparable" not in at_paper_scale


def test_differing_numbers_of_scored_tracks_are_told(table: pd.DataFrame) -> None:
    fewer = table.assign(tracks=pd.array([2, 1, None, None], dtype="Int64"))
    text = table1_cells.render(fewer, "demo", table1_cells.Description())["md"]
    assert f"{PLAIN}: 2;" in text
    assert (
        "Not all rows have scores"
        not in table1_cells.render(table, "demo", table1_cells.Description())["md"]
    )


def test_html_is_accessible_and_runs_nothing(texts: dict) -> None:
    parser = Cells()
    parser.feed(texts["html"])
    tags = [tag for tag, _ in parser.tags]
    assert not {"script", "songs", "img", "a"} & {*tags}
    links = [attributes for tag, attributes in parser.tags if tag == "link"]
    assert links == [{"rel": "icon", "href": "data:,"}]
    assert [tags.count(tag) for tag in ("main", "h1")] == [1, 1]
    assert [*tags].count("caption") == 1
    assert parser.tags[0] == ("html", {"lang": "en"})
    heads = [attributes for tag, attributes in parser.tags if tag == "th"]
    assert all("scope" in attributes for attributes in heads)
    assert sum(attributes["scope"] == "row" for attributes in heads) == 4
    assert not any(name.startswith("on") for _, attributes in parser.tags for name in attributes)
    assert "http" not in texts["html"]


def test_markdown_rows_have_one_cell_per_column(texts: dict) -> None:
    lines = [line for line in texts["md"].splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {16}
    assert len(lines) == 2 + 4
    assert "<" not in texts["md"]


@pytest.mark.parametrize("text", [NASTY, "\\", "--- '' `` ,,", "[x]", "*", "a\\|b", "\\\\|", "€"])
def test_escapes_restore_the_text(text: str) -> None:
    plain = " ".join(text.split())
    assert html.unescape(markdown_html.escape_html(text)) == plain
    escaped = markdown_html.escape_markdown(text)
    assert html.unescape(re.sub(r"\\(.)", r"\1", escaped)) == plain
    assert "|" not in escaped
    assert unescape_latex(latex.escape_latex(text)) == plain


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("label", [NASTY, PLAIN], ids=["nasty", "plain"])
def test_latex_compiles_with_booktabs_and_siunitx(
    label: str, table: pd.DataFrame, tmp_path: Path
) -> None:
    """In the text width of the paper, which it does not exceed with ordinary labels."""
    changed = table.copy()
    changed.loc[1, "label"] = label
    tex = table1_cells.render(changed, "demo", table1_cells.Description())["tex"]
    (tmp_path / "table1.tex").write_text(tex)
    (tmp_path / "document.tex").write_text(
        "\\documentclass[twocolumn]{article}\\usepackage{booktabs,siunitx}"
        "\\setlength{\\textwidth}{178mm}\\begin{document}\\input{table1.tex}\\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert label == NASTY or "Overfull" not in done.stdout


def three_rows(*, differing: str) -> pd.DataFrame:
    """A table of rows x, y and z with 3, 2 and 1 dB, of which pairs such as "xz" differ."""
    measured = table1.Measurements(
        {
            key: {"0": scores(*[level] * 4)}
            for key, level in zip("xyz", (3.0, 2.0, 1.0), strict=True)
        },
        {},
        {},
    )
    pairs = ["xy", "xz", "yz"]
    records = [(a, b, 50, 1.0, 0.5, 1.5, 0.01, 0.03, a + b in differing.split()) for a, b in pairs]
    comparisons = pd.DataFrame(records, columns=significance.COLUMNS)
    rows = table1.read_rows([{"variant": key, "label": f"row {key}"} for key in "zxy"])
    return table1.table1(rows, measured, comparisons=comparisons)


@pytest.mark.parametrize(
    ("differing", "group", "best"),
    [
        ("xy xz yz", ["c", "a", "b"], [False, True, False]),
        ("xz", ["b", "a", "ab"], [False] * 3),
        ("xz yz", ["b", "a", "a"], [False] * 3),
        ("xy xz", ["b", "a", "b"], [False, True, False]),
        ("", ["a", "a", "a"], [False] * 3),
    ],
)
def test_best_is_bold_only_where_it_differs(differing: str, group: list, best: list) -> None:
    table = three_rows(differing=differing)
    assert table["group"].tolist() == group
    assert table["best"].tolist() == best
    texts = table1_cells.render(table, "demo", table1_cells.Description())
    bold = {"md": "**3.00**", "html": "<strong>3.00</strong>", "tex": r"\bfseries 3.00"}
    for suffix, mark in bold.items():
        assert texts[suffix].count(mark) == sum(best)
        assert texts[suffix].count(mark.replace("3.00", "2.00")) == 0
        assert "cannot be told apart" in texts[suffix]


def test_groups_are_left_out_when_nothing_was_compared() -> None:
    table = table1.table1(table1.read_rows(ROWS), MEASURED)
    text = table1_cells.render(table, "demo", table1_cells.Description())["md"]
    assert "group" not in text
    assert "told apart" not in text


def test_notes_say_how_many_seeds_and_tracks_are_needed(table: pd.DataFrame) -> None:
    one = table1_cells.seeds_note(three_rows(differing=""))
    assert "0.084 dB (standard deviation, five published runs of Demucs)" in one
    assert "difference of 0.5, 0.2 or 0.1 dB between two models takes 2, 4 or 13 seeds" in one
    assert "it is these runs that differ" in one
    own = table1_cells.seeds_note(table)
    assert f"{math.sqrt(0.125):.3f} dB (standard deviation, pooled" in own
    assert "these runs" not in own
    few = table1_cells.group_note(three_rows(differing=""))
    assert few.endswith("2 test tracks cannot show any difference.")
    assert "any difference" not in table1_cells.group_note(
        three_rows(differing="").assign(tracks=50)
    )


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("median", "median over frames, median over tracks, mean over four sources, ±"),
        ("mean", "mean over frames, mean over tracks, mean over four sources, ±"),
        ("whole_track", "one SDR per whole track, mean over tracks and four sources, ±"),
    ],
)
def test_caption_says_how_scores_are_aggregated(by: str, words: str, table: pd.DataFrame) -> None:
    texts = table1_cells.render(table, "demo", table1_cells.Description(aggregation=by))
    assert all(words in texts[suffix] for suffix in ("md", "html"))


def test_aggregation_changes_the_numbers() -> None:
    rows = table1.read_rows(ROWS)
    means = table1.table1(rows, MEASURED, "mean")["sdr"]
    assert means[0] == pytest.approx(2.75125 - 7 / 3, abs=1e-12)
    assert table1.table1(rows, MEASURED, "whole_track")["sdr"].isna().all()


@pytest.mark.parametrize(
    ("count", "text"),
    [(737265008, "703M"), (750906608, "716M"), (764557532, "729M"), (9332326, "8.9M"), (1, "0.0M")],
)
def test_parameters_are_rounded_as_printed(count: int, text: str) -> None:
    assert table1_cells.in_mebi(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(319.4, "319"), (1234.0, "1234"), (99.96, "100"), (0.8341, "0.834")]
)
def test_seconds_keep_three_digits(seconds: float, text: str) -> None:
    assert table1_cells.seconds_text(seconds) == text


def test_mistakes_are_named() -> None:
    with pytest.raises(UserError, match=r"table row 1: unknown key 'lable' .*'label'"):
        table1.read_rows([{"lable": "x"}])
    with pytest.raises(UserError, match="'untrained' is marked as trained"):
        table1.table1([table1.Row("x", "untrained")], table1.Measurements({}, {}, {}))
    with pytest.raises(UserError, match="two rows are called 'x'"):
        table1.read_rows([{"label": "x"}, {"label": "x"}])
    with pytest.raises(UserError, match="no row has the variant mine, transposed"):
        table1.table1([], MEASURED)


def test_program_writes_all_formats(texts: dict, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    (tmp_path / "spec.json").write_text(json.dumps({"parameters": 4212345, "seed": 0}))
    command = [sys.executable, str(SCRIPTS / "table.py"), "--scale", "demo"]
    command += ["--rows", str(tmp_path / "rows.json"), "--description", json.dumps(DESCRIPTION)]
    for variant, seeds in MEASURED.scores.items():
        for seed, frame in seeds.items():
            path = tmp_path / f"{variant}{seed}.csv"
            frame.to_csv(path, index=False, na_rep="nan")
            command += ["--scores", variant, seed, str(path)]
    for seed, series in MEASURED.timings["transposed"].items():
        series.to_frame("seconds").to_csv(tmp_path / f"timing{seed}.csv")
        command += ["--history", "transposed", seed, str(tmp_path / f"timing{seed}.csv")]
    command += ["--parameters", "transposed", str(tmp_path / "spec.json")]
    command += ["--parameters", "transposed", json.dumps({"parameters_paper": 737265008})]
    COMPARISONS.to_csv(tmp_path / "comparisons.csv", index=False, na_rep="nan")
    command += ["--comparisons", str(tmp_path / "comparisons.csv")]
    for suffix in texts:
        command += [f"--{suffix}", str(tmp_path / "tables" / f"table1.{suffix}")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for suffix, text in texts.items():
        assert (tmp_path / "tables" / f"table1.{suffix}").read_text() == text
    command[command.index("--rows") + 1] = "missing.json"
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert failed.stderr.startswith("error: neither JSON nor a file of it: missing.json")


def test_comparison_program_writes_pairs_and_tracks(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPTS / "compare.py"), "--rows", json.dumps(ROWS)]
    for variant, seeds in MEASURED.scores.items():
        for seed, frame in seeds.items():
            path = tmp_path / f"{variant}{seed}.csv"
            frame.to_csv(path, index=False, na_rep="nan")
            command += ["--scores", variant, seed, str(path)]
    command += ["--comparisons", str(tmp_path / "c.csv"), "--tracks", str(tmp_path / "t.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pairs = significance.read_comparisons(tmp_path / "c.csv")
    assert pairs[["first", "second", "tracks"]].to_numpy().tolist() == [["transposed", "mine", 2]]
    assert pairs["difference"][0] == pytest.approx(2.75125 + 3.75 / 4, abs=1e-12)
    tracks = pd.read_csv(tmp_path / "t.csv")
    assert len(tracks) == 3 * 2 * 4
    one = tracks[(tracks["row"] == "mine") & (tracks["track"] == "A")].set_index("source")["value"]
    assert one["bass"] == 0.125
    failed = subprocess.run([*command, "--aggregation", "x"], capture_output=True, text=True)
    assert failed.stderr.startswith("error: evaluation.aggregation: unknown aggregation 'x'")
