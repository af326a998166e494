"""The notebook runs and says what it stores; the pictures of the documentation are there."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
LARGEST_PICTURE = 150_000


def test_the_notebook_prints_what_it_stores():
    cells = json.loads((DOCS / "one_operator.ipynb").read_text())["cells"]
    space: dict[str, object] = {}
    printed = 0
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        stream = io.StringIO()
        with contextlib.redirect_stdout(stream):
            exec("".join(cell["source"]), space)
        stored = "".join("".join(output["text"]) for output in cell["outputs"])
        assert stream.getvalue() == stored
        printed += stored.count("\n")
    assert printed == 4 + 9
    measured, predicted = space["measured"], space["predicted"]
    assert measured == pytest.approx(predicted, rel=1e-6)


def test_pictures_are_there_and_small():
    text = (DOCS / "artifacts.md").read_text()
    pictures = re.findall(r"!\[.+\]\((images/.+\.png)\)", text)
    assert len(pictures) == 5
    for picture in pictures:
        content = (DOCS / picture).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < LARGEST_PICTURE


def test_links_lead_somewhere():
    text = (DOCS / "artifacts.md").read_text()
    for link in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", text):
        assert (DOCS / link).exists(), link
