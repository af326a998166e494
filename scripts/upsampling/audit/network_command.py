"""`upsampling-audit network`: its options, and an audit by them."""

import argparse
import sys
from pathlib import Path
from typing import Any

from upsampling.arguments import check_outputs, readers_may_leave, whole_number
from upsampling.config.audits import Aim, InputKind
from upsampling.config.declared import choices
from upsampling.errors import UserError
from upsampling.files import save_arrays, write_json, write_text
from upsampling.recordings.command import finite, positive

DESCRIPTION = """\
Find a network's upsampling layers, the lines that they make in silence, and which layer makes
which line.

NETWORK is path/to/file.py:factory (a callable that returns a torch.nn.Module), file.onnx, file.pt
(TorchScript), or the folder of a model that this pipeline trained. ONNX and safetensors files are
data; a Python file and TorchScript run code of whoever made them, and so may a trained model's
folder that names an operator in a file. Pickled checkpoints are not loaded.
"""
# Options that describe the network beside its path and input; those that name files to write.
OF_THE_NETWORK = ("samplerate", "channels", "weights", "first", "last", "length")
OUTPUTS = ("json", "html", "arrays", "repair")
# Arrays that a repair changes.
WAVEFORMS = ("silence", "constants", "sound")
EPILOG = """\
exit status: 0; 1 if a comb's excess is above --fail-above; 2 if the network cannot be audited
"""


def add_network(subparsers: Any) -> None:
    """Add the subcommand to `subparsers`."""
    parser = subparsers.add_parser(
        "network",
        help="audit a network: which layer makes which line",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add, size = parser.add_argument, whole_number(1, 2**31 - 1)
    add("network", metavar="NETWORK")
    add("--samplerate", type=whole_number(1, 10**7), help="of its output, in Hz")
    add(
        "--input",
        choices=choices(InputKind),
        help="of the network (default: audio for one or two channels, else latent)",
    )
    add("--channels", type=size, help="of its input (default: found out)")
    add("--length", type=size, help="an input length that it takes")
    add("--weights", metavar="W.safetensors", help="weights for a factory's module")
    add("--from", dest="first", metavar="TENSOR", help="audit part of an ONNX graph")
    add("--to", dest="last", metavar="TENSOR", help="where that part ends")
    add(
        "--features",
        metavar="FILE.py:FUNCTION",
        help="f(waveform [samples], samplerate) -> [channels, frames], to probe with sounds",
    )
    seed = whole_number(0, 2**32 - 1)
    add("--seed", type=seed, default=0, help="of random constants and probes")
    add("--seconds", type=positive, default=3.0, help="of each probe (default 3)")
    add("--json", type=Path, metavar="F", help="write the report as JSON")
    add("--html", type=Path, metavar="F", help="write the report as a page")
    add("--arrays", type=Path, metavar="F", help="write the waveforms as .npz")
    add(
        "--fail-above",
        type=finite,
        metavar="DB",
        help="exit 1 if a comb stands out by more, in silence, a constant or a probe",
    )
    add(
        "--repair",
        type=Path,
        metavar="OUT",
        help="write weights whose phases answer alike (.safetensors, .onnx or .pt), and report",
    )
    add(
        "--repair-for",
        choices=choices(Aim),
        default="silence",
        help="what no comb is to be left in: silence; silence, the probes and --excerpts; or any "
        "constant input (default: silence)",
    )
    add(
        "--excerpts",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="audio files, or inputs [channels, time] as .npy, for --repair-for sounds",
    )
    parser.set_defaults(function=run)


def files_of(arguments: argparse.Namespace) -> list[Path]:
    """The files that an audit reads: of the network, its weights, its features and excerpts."""
    network = Path(arguments.network)
    codes = [(one or "").rpartition(":")[0] for one in (arguments.network, arguments.features)]
    named = [*codes, arguments.weights or ""]
    files = [network, *map(Path, filter(None, named)), *arguments.excerpts]
    return [*files, *(network.rglob("*") if network.is_dir() else ())]


def run(arguments: argparse.Namespace) -> int:
    """Audit the network; print, write and judge the report."""
    from upsampling.audit.audit import AuditSettings, audit, audit_arrays, respond_to_constants
    from upsampling.audit.page import page
    from upsampling.audit.repairing import check_target, repair_network, write_network
    from upsampling.audit.verdict import failures, text
    from upsampling.networks.loading import Source, open_network
    from upsampling.networks.network import NetworkError
    from upsampling.networks.torch_file import load_callable

    path, repaired = arguments.network, arguments.repair
    check_outputs({f"--{name}": getattr(arguments, name) for name in OUTPUTS}, files_of(arguments))
    if repaired:
        check_target(repaired, path)
    if arguments.excerpts and not (repaired and arguments.repair_for == "sounds"):
        raise UserError("--excerpts: they count for --repair OUT --repair-for sounds alone")
    features = load_callable(arguments.features, "--features") if arguments.features else None
    options = {name: getattr(arguments, name) for name in OF_THE_NETWORK}
    network, structure, notes = open_network(Source(path, arguments.input, **options))
    settings = AuditSettings(arguments.seed, arguments.seconds, features=features)
    try:
        responses = respond_to_constants(structure, settings.seed)
        report = audit(structure, responses, notes, settings)
        arrays = audit_arrays(structure, responses, settings) if arguments.arrays else {}
        if repaired:
            report["repair"] = repair_network(
                structure, report, arguments.repair_for, arguments.excerpts, settings
            )
            write_network(network, repaired)
        if repaired and arguments.arrays:
            after = respond_to_constants(structure, settings.seed)
            changed = audit_arrays(structure, after, settings)
            arrays |= {f"{name}_repaired": changed[name] for name in WAVEFORMS}
    except NetworkError as error:
        raise UserError(f"{path}: {error}") from error
    if arguments.json:
        write_json(arguments.json, report)
    if arguments.arrays:
        save_arrays(arguments.arrays, arrays)
    if arguments.html:
        write_text(arguments.html, page(report, responses.silence.period))
    with readers_may_leave(sys.stdout):
        print(text(report))
    broken = failures(report, arguments.fail_above) if arguments.fail_above is not None else []
    for sentence in broken:
        print(f"failed: {sentence}", file=sys.stderr)
    return 1 if broken else 0
