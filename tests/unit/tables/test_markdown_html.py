"""Markdown and HTML: accessible tables, and text that acts as markup nowhere."""

import html

import pytest
from table1_example import example_sheet
from table_texts import NASTY, Cells, unescape_markdown

from upsampling.tables import markdown_html


@pytest.fixture(scope="module")
def sheet():
    return example_sheet()


def test_html_is_accessible_and_runs_nothing(sheet):
    text = markdown_html.html(sheet)
    parser = Cells()
    parser.feed(text)
    tags = [tag for tag, _ in parser.tags]
    assert not {"script", "songs", "img", "a"} & {*tags}
    links = [attributes for tag, attributes in parser.tags if tag == "link"]
    assert links == [{"rel": "icon", "href": "data:,"}]
    assert [tags.count(tag) for tag in ("main", "h1", "caption", "tbody")] == [1, 1, 1, 2]
    assert parser.tags[0] == ("html", {"lang": "en"})
    heads = [attributes for tag, attributes in parser.tags if tag == "th"]
    assert all("scope" in attributes for attributes in heads)
    assert sum(attributes["scope"] == "row" for attributes in heads) == 4
    assert not any(name.startswith("on") for _, attributes in parser.tags for name in attributes)
    assert "http" not in text


def test_spanning_heads_have_a_column_group_of_their_width(sheet):
    text = markdown_html.html(sheet)
    assert '<th scope="colgroup" colspan="3">Printed in the paper</th>' in text
    spans = [len(columns) for _, columns in sheet.spans()]
    assert "".join(f'<colgroup span="{span}"></colgroup>' for span in spans) in text
    assert sum(spans) == len(sheet.columns)


def test_markdown_rows_have_one_cell_per_column(sheet):
    text = markdown_html.markdown(sheet)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {len(sheet.columns) + 1}
    assert len(lines) == 2 + 4
    assert "<" not in text
    assert lines[0].count("Printed in the paper: ") == 3


def test_bold_cells_are_marked(sheet):
    assert sheet.bold == {(0, 1)}
    assert markdown_html.markdown(sheet).count("**2.75 ± 0.35**") == 1
    assert markdown_html.html(sheet).count("<strong>2.75 ± 0.35</strong>") == 1


@pytest.mark.parametrize("text", [NASTY, "\\", "--- '' `` ,,", "[x]", "*", "a\\|b", "\\\\|", "€"])
def test_escapes_restore_the_text(text):
    plain = " ".join(text.split())
    assert html.unescape(markdown_html.escape_html(text)) == plain
    escaped = markdown_html.escape_markdown(text)
    assert unescape_markdown(escaped) == plain
    assert "|" not in escaped
