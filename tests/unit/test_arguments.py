"""Settings on a command line are JSON or a file of it."""

import argparse
import io
import json
import os
import sys
from pathlib import Path

import pytest

from upsampling.arguments import (
    check_outputs,
    forgive_streams,
    json_or_file,
    parser,
    readers_may_leave,
    settings,
    whole_number,
)
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


def test_whole_numbers_have_limits():
    read = whole_number(0, 7)
    assert [read(text) for text in ("0", "7")] == [0, 7]
    for text in ("-1", "8", "1.5", "x"):
        with pytest.raises(argparse.ArgumentTypeError, match=f"'{text}' .* from 0 to 7"):
            read(text)


def test_outputs_replace_no_input_and_not_each_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    song, report = Path("a.wav"), tmp_path / "b.json"
    song.touch()
    check_outputs({"--json": report, "--html": None}, [song])
    with pytest.raises(UserError, match=r"^--json .*a\.wav: this file is read"):
        check_outputs({"--json": tmp_path / "x" / ".." / "a.wav"}, [song])
    with pytest.raises(UserError, match=r"^--html b\.json: this file is that of --json, too"):
        check_outputs({"--json": report, "--html": Path("b.json")}, [song])


def test_what_nobody_reads_is_lost_without_an_error():
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        for _ in range(2):
            with readers_may_leave(stream):
                print("text", file=stream)


def test_letters_that_a_stream_lacks_are_written_in_ascii(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    monkeypatch.setattr(sys, "stderr", None)
    forgive_streams()
    print("\udcff", flush=True)
    assert written.getvalue() == b"\\udcff\n"
    print("nowhere", file=sys.stderr)
