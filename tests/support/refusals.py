"""The command's message about an input that it refuses."""

from upsampling.audit.command import main


def refused(capsys, *arguments: str) -> str:
    """The one line that an audit of a network prints before it ends with status 2."""
    assert main(["network", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert len(captured.err) < 600
    return captured.err
