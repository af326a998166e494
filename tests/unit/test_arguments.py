"""Settings on a command line are JSON or a file of it."""

import json

import pytest

from upsampling.arguments import json_or_file, parser, settings
from upsampling.config.sections import ProbesSettings
from upsampling.errors import UserError


def test_json_and_files_of_it_are_the_same(tmp_path):
    values = {"seconds": 1, "signals": ["ones"]}
    path = tmp_path / "probes.json"
    path.write_text(json.dumps(values))
    assert json_or_file(str(path)) == json_or_file(json.dumps(values)) == values
    read = settings(ProbesSettings, "--probes")
    assert read(str(path)) == ProbesSettings(seconds=1, signals=("ones",))


@pytest.mark.parametrize("text", ["no/such/file", "{broken", "[1, 2"])
def test_text_that_is_neither_is_refused_in_one_line(text):
    with pytest.raises(UserError, match="neither JSON nor a file of it") as caught:
        json_or_file(text)
    assert "\n" not in str(caught.value)


def test_a_wrong_value_names_the_flag_and_the_key():
    with pytest.raises(UserError, match=r"^--probes\.seconds: -1 is too small"):
        settings(ProbesSettings, "--probes")('{"seconds": -1}')


def test_help_keeps_the_example_as_it_is_written(capsys):
    with pytest.raises(SystemExit):
        parser("Title.\n\n    python a.py \\\n        --b c\n").parse_args(["--help"])
    assert "    python a.py \\\n        --b c\n" in capsys.readouterr().out
