"""A sheet in LaTeX, numbers aligned at the decimal point by siunitx."""

import re

from upsampling.tables.sheet import Column, Sheet, escaper

ROW_NAMES = r">{\raggedright\arraybackslash}X"
# Environment, its width and the gap between columns, by the page's columns that a table spans.
WIDTHS = {1: ("table", "columnwidth", "1.5pt"), 2: ("table*", "textwidth", "2pt")}
NUMBER = re.compile(r"(-?)(\d[\d,]*)(?:\.(\d+))?(?: ± (\d+\.\d+))?([†‡§¶]?)")

# Brackets and stars would be taken for arguments of \\ or \midrule at the start of a row.
replace_latex = escaper(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\char34{}"}
    | {"[": "{[}", "]": "{]}", "*": "{*}"}
    | {"±": r"$\pm$", "–": r"\textendash{}", "†": r"$\dagger$", "‡": r"$\ddagger$"}
    | {"§": r"$\mathsection$", "¶": r"$\mathparagraph$", "×": r"$\times$"}
    | {"²": r"\textsuperscript{2}", "⁰": r"\textsuperscript{0}"}
)


def escape_latex(text: str) -> str:
    """Make text literal in LaTeX, and keep -- and the like from becoming ligatures."""
    return re.sub(r"([-'`,])(?=\1)", r"\1{}", replace_latex(text))


def latex(sheet: Sheet, columns: int = 2) -> str:
    r"""A complete `table` environment as wide as one of a page's two columns, or `table*`.

    The document needs booktabs, siunitx and tabularx. Row names get the width that the other cells
    leave.
    """
    environment, width, gap = WIDTHS[columns]
    types = [
        column_type(column, [row[n] for row in sheet.cells])
        for n, column in enumerate(sheet.columns)
    ]
    label = "".join(sheet.title.lower().split())
    bodies = ["\n".join(" & ".join(row) + r" \\" for row in body) for body in sheet.bodies(cell)]
    text = [
        rf"\begin{{{environment}}}",
        rf"\centering\scriptsize\setlength{{\tabcolsep}}{{{gap}}}",
        r"\sisetup{detect-weight=true, group-digits=none, table-align-text-after=false}",
        rf"\caption{{{escape_latex(sheet.caption)}}}",
        rf"\label{{tab:{label}}}\smallskip",
        rf"\begin{{tabularx}}{{\{width}}}{{@{{}}{ROW_NAMES}{''.join(types[1:])}@{{}}}}",
        r"\toprule",
        *heads(sheet),
        r"\midrule",
        "\n\\midrule\n".join(bodies),
        r"\bottomrule",
        r"\end{tabularx}",
        r"\par\raggedright",
        *[rf"\par\smallskip {footnote(mark, text)}" for mark, text in sheet.footnotes],
        rf"\end{{{environment}}}",
    ]
    return "\n".join(text) + "\n"


def heads(sheet: Sheet) -> list[str]:
    """The lines of the heads: groups over their columns, and one word per line below."""
    groups, lines, position = [], [], 1
    for group, columns in sheet.spans():
        width = len(columns)
        groups.append(rf"\multicolumn{{{width}}}{{c}}{{{escape_latex(group)}}}" if group else "")
        if group:
            lines.append(rf"\cmidrule(lr){{{position}-{position + width - 1}}}")
        position += width
    stacked = [r" \\ ".join(escape_latex(column.head).split()) for column in sheet.columns]
    return [
        " & ".join(groups) + r" \\",
        "".join(lines),
        " & ".join(rf"{{\shortstack{{{head}}}}}" for head in stacked) + r" \\",
    ]


def footnote(mark: str, text: str) -> str:
    """A footnote with its mark raised."""
    return rf"\textsuperscript{{{escape_latex(mark)}}}" * bool(mark) + escape_latex(text)


def column_type(column: Column, cells: list[str]) -> str:
    """The column's type: centered text, or numbers as wide as the widest of `cells`."""
    numbers = [match for cell in cells if (match := NUMBER.fullmatch(cell))]
    if not column.numeric or not numbers:
        return "c"
    sign = "-" if any(match[1] for match in numbers) else ""
    whole = max(len(match[2].replace(",", "")) for match in numbers)
    decimals = max(len(match[3] or "") for match in numbers)
    options = f"table-format={sign}{whole}.{decimals}"
    if any("," in match[2] for match in numbers):
        options += ",group-digits=integer,group-minimum-digits=4,group-separator={,}"
    if widest := max((suffix(match) for match in numbers), key=len):
        options += f",table-space-text-post={widest}"
    return f"S[{options}]"


def cell(text: str, column: Column, bold: bool) -> str:
    """One cell: a number as siunitx reads it, anything else in braces."""
    weight = r"\bfseries " if bold else ""
    if not column.numeric:
        return weight + escape_latex(text)
    match = NUMBER.fullmatch(text)
    if not match:
        return f"{{{weight}{escape_latex(text)}}}"
    number = f"{match[1]}{match[2].replace(',', '')}" + (f".{match[3]}" if match[3] else "")
    return weight + number + suffix(match)


def suffix(number: re.Match) -> str:
    r"""The spread or the mark after a number, in braces, or ''."""
    if number[4]:
        return rf"{{${{}}\pm{{}}${number[4]}}}"
    return rf"{{\textsuperscript{{{escape_latex(number[5])}}}}}" if number[5] else ""
