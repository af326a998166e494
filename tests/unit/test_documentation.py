"""The documentation: its notebook, examples, links, paths, commands, keys, pictures and words."""

import contextlib
import io
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from prose import (
    code_files,
    code_prose,
    markdown_files,
    share_of_beginnings,
    whats_per_thousand,
    without_code,
)
from safetensors.torch import save_file

from upsampling.config.experiment import Experiment
from upsampling.config.model import DemucsLikeSettings, model_settings
from upsampling.measures.from_waveform import measure_waveform
from upsampling.measures.from_weights import measure_layers
from upsampling.measures.shifts import measure_shifts
from upsampling.model_check import models, operators
from upsampling.models import build
from upsampling.probes.model_output import model_output

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
NOTEBOOK = DOCS / "one_operator.ipynb"
PAGES = markdown_files()
# Captions, and files with comments for users.
COMMENTED = sorted([
    ROOT / "config.yaml",
    *ROOT.glob("profiles/*/config.yaml"),
    *ROOT.glob("report/*.rst"),
])  # fmt: skip
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
LARGEST_PICTURE = 150_000
# Share of docstrings that begin with What, How, Which or Whether; "what" per 1000 words.
LARGEST_SHARE = 0.01
MOST_WHATS = 1.0
FOLDERS = "benchmarks|docs|envs|profiles|rules|schemas|scripts|tests"
AVOIDED = (
    r"\banew\b",
    r"\bso many\b",
    r"\b(hears|heard)\b",
    r"\bmade again\b",
    r"\bby itself\b",
    r"\bgoes on where\b",
    r"\bsends? back\b",
    r"\btakes part\b",
    r"\bMend\b",
    r"(^|[.:] )(What|Whatever) ",
)


def name_of(path: Path) -> str:
    """A file's path in the repository."""
    return path.relative_to(ROOT).as_posix()


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


def test_pictures_are_small_and_those_of_the_rule():
    rules = "".join((ROOT / "rules" / name).read_text() for name in ("figures.smk", "audit.smk"))
    lists = re.findall(r"PICTURES = \[(.*?)\]", rules, re.DOTALL)
    drawn = [name for one in lists for name in re.findall(r'"(\w+)"', one)]
    pictures = sorted((DOCS / "images").iterdir())
    assert [picture.stem for picture in pictures] == sorted(drawn)
    shown = {target for page in PAGES for target in linked_files(page)}
    for picture in pictures:
        assert picture in shown
        content = picture.read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < LARGEST_PICTURE


def test_every_measure_is_explained():
    settings = DemucsLikeSettings(channels=2, depth=2, bottleneck="none")
    model = build(settings, 0)
    _, output, rate = model_output(model, "white_noise", 1, 0)
    records = [
        *measure_waveform(output, rate, [settings.stride] * settings.depth),
        *measure_layers(model.upsampling_layers),
        *measure_shifts(model, 0.5, 0),
    ]
    text = (DOCS / "artifacts.md").read_text()
    names = {record["measure"] for record in records}
    assert len(names) > 12
    assert not {name for name in names if f"`{name}`" not in text}


def links(page: Path) -> list[tuple[str, str]]:
    """Path and anchor of each link of a page to the repository; the path is empty for the page."""
    found = re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text()))
    return [link.partition("#")[::2] for link in found if "://" not in link]


def linked_files(page: Path) -> list[Path]:
    """Files that a page links to, or shows."""
    return [(page.parent / path).resolve() for path, _ in links(page) if path]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r"(?m)^#+ (.*)$", without_code(page.read_text()))
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def test_names_of_the_package_exist():
    """Of modules and what they hold, in backticks, in docstrings, comments and pages."""
    files = [*PAGES, *(ROOT / "scripts").rglob("*.py"), *(ROOT / "rules").glob("*.smk")]
    names = {n for file in files for n in re.findall(r"`(upsampling\.[\w.]+)`", file.read_text())}
    assert names
    for name in names:
        pkgutil.resolve_name(name)


@pytest.mark.parametrize("page", [*PAGES, NOTEBOOK], ids=name_of)
def test_links_lead_somewhere(page):
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_exist(page):
    text = page.read_text()
    for path in set(re.findall(rf"(?<![\w/.~-])(?:{FOLDERS})/[\w./*-]+(?![\w{{]|NAME)", text)):
        place = path.rstrip(".")
        found = list(ROOT.glob(place)) or list(page.parent.glob(place))
        assert found or "NAME" in place, path
    for name in set(re.findall(r"\btest_\w+\.py\b", text)):
        assert "NAME" in name or list((ROOT / "tests").rglob(name)), name


def commands(page: Path) -> list[list[str]]:
    """Words of each command in a page's blocks and spans of code."""
    text = page.read_text()
    blocks = "\n".join(re.findall(r"(?s)```\n(.*?)```", text)).splitlines()
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", without_code(text))]
    lines = [re.split(r" +#", line)[0].split() for line in [*blocks, *spans]]
    return [words for words in lines if words and words[0] in ("make", "snakemake", "python")]


@pytest.fixture(scope="module")
def snakemake_options() -> set[str]:
    """The options in Snakemake's help."""
    command = [sys.executable, "-m", "snakemake", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page, snakemake_options):
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    rules = re.findall(r"(?m)^rule (\w+):", text)
    for program, *words in commands(page):
        if program == "make":
            assert {word for word in words if "=" not in word} <= set(targets), words
        elif program == "python":
            assert (ROOT / words[0]).is_file(), words
        else:
            options = {word for word in words if word.startswith("-")}
            assert options <= snakemake_options, options - snakemake_options
            last = words[-1] if words else ""
            assert last in rules or not re.fullmatch(r"[a-z]+_[a-z_]+", last), last


def test_keys_of_the_configuration_exist():
    sections: dict[str, set[str]] = {}
    for block in re.split(r"(?m)^## ", (DOCS / "config.md").read_text()):
        name = re.match(r"`([\w.]+)`", block)
        keys = set(re.findall(r"(?m)^\| `(\w+)` \|", block))
        sections.setdefault(name[1] if name else "", set()).update(keys)
    top = "|".join(name for name in sections if name and "." not in name)
    checked = 0
    for page in set(PAGES) - {ROOT / "CHANGELOG.md"}:
        for key in re.findall(rf"`((?:{top})\.[\w.]+)(?=[`:])", page.read_text()):
            # Scales have names, which the declaration does not know.
            parts = re.sub(r"^scales\.\w+\.", "scales.", key).split(".")
            assert parts[-1] in sections[".".join(parts[:-1])], f"{name_of(page)}: {key}"
            checked += 1
    assert checked >= 10


def test_the_examples_of_the_readme_pass_the_trial(tmp_path):
    text = (ROOT / "README.md").read_text()
    hold, net = re.findall(r"(?s)```python\n(.*?)```", text)
    triangle, own = (yaml.safe_load(block) for block in re.findall(r"(?s)```yaml\n(.*?)```", text))
    (tmp_path / "hold.py").write_text(hold)
    (tmp_path / "net.py").write_text(net)
    weights = tmp_path / "net.safetensors"
    model = own["net"]["model"]
    assert model["architecture"] == "path/to/net.py:Net"
    model["architecture"] = f"{tmp_path}/net.py:Net"
    untrained = {key: value for key, value in model.items() if key != "weights"}
    settings = model_settings(untrained | {"operator": own["net"]["operator"]}, "model")
    save_file(build(settings, 1).state_dict(), weights)
    model["weights"] = str(weights)
    variants = triangle | own | {"hold": {"operator": f"{tmp_path}/hold.py:Hold"}}
    experiment = Experiment(CONFIG | {"variants": CONFIG["variants"] | variants})
    assert experiment.stages("net") == ["initialised", "trained"]
    places = tuple(f"variants.{name}" for name in variants)
    request = {
        kind: [entry for entry in entries if entry["where"] in places]
        for kind, entries in (
            ("models", models(experiment)),
            ("operators", operators(experiment)),
        )
    }
    assert {entry["where"] for entry in request["models"]} == set(places)
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_models.py"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [*PAGES, *COMMENTED], ids=name_of)
def test_pages_are_plain(page):
    text = " ".join(without_code(page.read_text()).split())
    for phrase in AVOIDED:
        match = re.search(phrase, text)
        assert not match, text[max(0, match.start() - 40) : match.end() + 40]


def test_docstrings_begin_with_the_subject_and_prose_has_few_whats():
    docstrings, comments = map(list.__add__, *[([], [])] * 2)
    for path in code_files():
        of_file = code_prose(path)
        docstrings += of_file[0]
        comments += of_file[1]
    assert share_of_beginnings(docstrings) < LARGEST_SHARE
    pages = [without_code(page.read_text()) for page in PAGES]
    assert whats_per_thousand([*docstrings, *comments, *pages]) < MOST_WHATS


def test_packages_have_the_files_that_they_read():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    package = ROOT / "scripts" / "upsampling"
    for path in package.rglob("*"):
        if path.is_file() and path.suffix not in (".py", ".md", ".pyc"):
            assert any(path.match(pattern) for pattern in patterns), path
        if path.suffix == ".py":
            assert (path.parent / "__init__.py").is_file(), path
