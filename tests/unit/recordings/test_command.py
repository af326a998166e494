"""The command `recording`: exit codes, many files, folders, JSON and pages."""

import argparse
import io
import json
import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from planted_combs import RATE, comb, noise, write

from upsampling.audit.command import main
from upsampling.recordings import command
from upsampling.recordings.command import band_of, strides_of

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A recording with a comb of 86.13 Hz, one without, and one that is no audio."""
    folder = tmp_path_factory.mktemp("recordings")
    write(folder / "comb.wav", noise(7.0, rms=0.01) + comb(7.0, RATE / 512, -60))
    (folder / "deep").mkdir()
    write(folder / "deep" / "noise.flac", noise(7.0), subtype="PCM_16")
    (folder / "deep" / "text.mp3").write_text("no audio")
    return folder


def test_exit_codes(folder, capsys):
    loud, clean, bad = folder / "comb.wav", folder / "deep/noise.flac", folder / "deep/text.mp3"
    strides = ["--strides", "8,8,4,2"]
    assert main(["recording", str(loud), *strides]) == 0
    assert main(["recording", str(loud), *strides, "--fail-above", "1.5"]) == 1
    assert "above 1.5 dB" in capsys.readouterr().err
    assert main(["recording", str(clean), "--spacing", "86.1328125", "--fail-above", "1.5"]) == 0
    assert main(["recording", str(loud), "--blind", "--fail-above", "1.5"]) == 1
    assert main(["recording", str(clean), "--blind", "--fail-above", "1.5"]) == 0
    assert main(["recording", str(bad), str(loud), *strides, "--fail-above", "1.5"]) == 2
    assert main(["recording", "missing.wav"]) == 2


def test_a_failing_file_does_not_stop_the_others(folder, tmp_path, capsys):
    data, html = tmp_path / "a.json", tmp_path / "a.html"
    status = main(
        ["recording", str(folder), "missing.wav", "--json", str(data), "--html", str(html)]
    )
    output = capsys.readouterr()
    assert status == 2
    errors = [line for line in output.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 2
    assert "Traceback" not in output.err
    summary = output.out.splitlines()
    assert "1 of 2 recordings have a comb that stands out; 2 could not be audited." in summary
    report = json.loads(data.read_text())
    assert [Path(one["file"]).name for one in report["recordings"]] == ["comb.wav", "noise.flac"]
    assert [one["found"] for one in report["recordings"]] == [True, False]
    assert len(report["errors"]) == 2
    assert html.read_text().count("<section") == 2


def test_equal_calls_write_equal_bytes(folder, tmp_path):
    texts = []
    for name in ("a", "b"):
        main(["recording", str(folder / "comb.wav"), "--json", str(tmp_path / f"{name}.json"),
              "--html", str(tmp_path / f"{name}.html")])  # fmt: skip
        texts.append([(tmp_path / f"{name}.{kind}").read_bytes() for kind in ("json", "html")])
    assert texts[0] == texts[1]


def test_an_empty_folder_is_one_line(tmp_path, capsys):
    assert main(["recording", str(tmp_path)]) == 2
    assert "no audio files" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "8,x", "0,8", "1", "-2,2", "8;8"])
def test_wrong_strides_explain_themselves(text):
    with pytest.raises(argparse.ArgumentTypeError, match="8,8,4"):
        strides_of(text)


@pytest.mark.parametrize("text", ["5000", "a,b", "6000,5000", "0,100", "nan,1", "1,inf"])
def test_wrong_bands_explain_themselves(text):
    with pytest.raises(argparse.ArgumentTypeError, match="5000,16000"):
        band_of(text)


@pytest.mark.parametrize(("text", "band"), [("0.5,1", (0.5, 1)), ("5000,16000", (5000, 16000))])
def test_bands_are_two_frequencies(text, band):
    assert band_of(text) == band


@pytest.mark.parametrize(("files", "lines"), [(1, []), (2, ["1 of 2 files", "2 of 2 files"])])
def test_long_calls_say_now_and_then_how_many_files_are_done(files, lines, capsys, monkeypatch):
    monkeypatch.setattr(command, "SECONDS_BETWEEN_LINES", -1.0)
    with command._Progress(files) as progress:
        for _ in range(files):
            progress.update()
    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.parametrize("options", [[], ["--strides", "8,8,4"]])
def test_a_band_without_a_line_is_refused(folder, capsys, options):
    assert main(["recording", str(folder / "comb.wav"), "--band", "5000,5001", *options]) == 2
    error = capsys.readouterr().err
    assert "from 5000 to 5001 Hz; choose a wider --band" in error
    assert error.count("\n") == 1


def test_a_recording_is_not_replaced_by_its_report(folder, capsys):
    loud = folder / "comb.wav"
    content = loud.read_bytes()
    assert main(["recording", str(folder), "--json", str(loud)]) == 2
    assert "comb.wav: this file is read" in capsys.readouterr().err
    assert loud.read_bytes() == content


@pytest.mark.parametrize("ending", [">&-", "| head -c 1"])
def test_reports_are_written_though_nobody_reads_the_text(folder, tmp_path, ending):
    program = f"{sys.executable} {ROOT / 'scripts' / 'audit.py'} recording {folder / 'comb.wav'}"
    data = tmp_path / "a.json"
    done = subprocess.run(
        f"{program} --strides 8,8,4,2 --json {data} {ending}",
        shell=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.stderr == ""
    assert json.loads(data.read_text())["recordings"][0]["found"]


def test_a_report_is_written_before_the_next_file_is_read():
    written = io.BytesIO()
    stream = io.TextIOWrapper(written)
    with command._Progress(2) as progress:
        progress.say("a report", stream)
        assert written.getvalue() == b"a report\n"


@pytest.mark.parametrize(
    "options",
    [["--strides", "8", "--blind"], ["--spacing", "0"], ["--spacing", "nan"], ["--band", "9"],
     ["--fail-above", "nan"], ["--fail-above", "x"], []],
)  # fmt: skip
def test_wrong_options_end_with_a_usage_line(options, capsys):
    files = ["a.wav"] if options else []
    with pytest.raises(SystemExit) as caught:
        main(["recording", *files, *options])
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_band_is_a_setting(folder, tmp_path):
    data = tmp_path / "a.json"
    main(["recording", str(folder / "comb.wav"), "--spacing", "86.1328125",
          "--band", "2000,4000", "--json", str(data)])  # fmt: skip
    lines = json.loads(data.read_text())["recordings"][0]["combs"][0]["lines"]
    assert {2000 <= line["frequency_hz"] <= 4000 for line in lines} == {True}
    assert len(lines) == 23


def test_a_terminal_has_a_bar_and_a_pipe_has_none(folder):
    """The command alone, its standard error once on a terminal and once in a pipe."""
    called = [sys.executable, str(ROOT / "scripts" / "audit.py"), "recording"]
    called += [str(folder), "--spacing", "86.1328125"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts"), "OMP_NUM_THREADS": "1"}
    piped = subprocess.run(called, capture_output=True, text=True, env=environment)
    assert piped.returncode == 2
    assert len(piped.stderr.splitlines()) == 1
    assert piped.stderr.startswith("error: ")
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, 80))
    shown = subprocess.Popen(called, stdout=subprocess.DEVNULL, stderr=writer, env=environment)
    os.close(writer)
    parts = []
    try:
        while part := os.read(reader, 4096):
            parts.append(part)
    except OSError:
        pass  # The terminal's other end is closed.
    os.close(reader)
    assert shown.wait() == 2
    assert "/3 [" in b"".join(parts).decode()
