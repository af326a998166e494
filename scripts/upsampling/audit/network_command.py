"""`upsampling-audit network`: its options, and an audit by them."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upsampling.arguments import check_outputs, readers_may_leave, whole_number
from upsampling.config.audits import Aim, InputKind
from upsampling.config.declared import choices
from upsampling.errors import UserError
from upsampling.files import save_arrays, write_json, write_text
from upsampling.recordings.command import finite, positive

if TYPE_CHECKING:
    from upsampling.audit.probing import Features
    from upsampling.networks.network import Network
    from upsampling.networks.upsamplers import Structure

DESCRIPTION = """\
Find a network's upsampling layers, the lines that they make in silence, and which layer makes
which line.

NETWORK is path/to/file.py:factory (a callable that returns a torch.nn.Module), file.onnx, file.pt
(TorchScript), or the folder of a model that this pipeline trained. ONNX and safetensors files are
data; a Python file and TorchScript run code of whoever made them, and so may a trained model's
folder that names an operator in a file. Pickled checkpoints are not loaded.
"""
# Options that name files to write.
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
    size = whole_number(1, 2**31 - 1)
    parser.add_argument("network", metavar="NETWORK")
    parser.add_argument("--samplerate", type=whole_number(1, 10**7), help="of its output, in Hz")
    parser.add_argument(
        "--input",
        choices=choices(InputKind),
        help="of the network (default: audio for one or two channels, else latent)",
    )
    parser.add_argument("--channels", type=size, help="of its input (default: found out)")
    parser.add_argument("--length", type=size, help="an input length that it takes")
    parser.add_argument("--weights", metavar="W.safetensors", help="weights for a factory's module")
    parser.add_argument(
        "--from", dest="first", metavar="TENSOR", help="audit part of an ONNX graph"
    )
    parser.add_argument("--to", dest="last", metavar="TENSOR", help="where that part ends")
    parser.add_argument(
        "--features",
        metavar="FILE.py:FUNCTION",
        help="f(waveform [samples], samplerate) -> [channels, frames], to probe with sounds",
    )
    parser.add_argument(
        "--seed", type=whole_number(0, 2**32 - 1), default=0, help="of random constants and probes"
    )
    parser.add_argument("--seconds", type=positive, default=3.0, help="of each probe (default 3)")
    parser.add_argument("--json", type=Path, metavar="F", help="write the report as JSON")
    parser.add_argument("--html", type=Path, metavar="F", help="write the report as a page")
    parser.add_argument("--arrays", type=Path, metavar="F", help="write the waveforms as .npz")
    parser.add_argument(
        "--fail-above",
        type=finite,
        metavar="DB",
        help="exit 1 if a comb stands out by more, in silence, a constant or a probe",
    )
    parser.add_argument(
        "--repair",
        type=Path,
        metavar="OUT",
        help="write weights whose phases answer alike (.safetensors, .onnx or .pt), and report",
    )
    parser.add_argument(
        "--repair-for",
        choices=choices(Aim),
        default="silence",
        help="what no comb is to be left in: silence; silence, the probes and --excerpts; or any "
        "constant input (default: silence)",
    )
    parser.add_argument(
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
    named = [arguments.network.rpartition(":")[0], arguments.weights or ""]
    named.append((arguments.features or "").rpartition(":")[0])
    files = [network, *map(Path, filter(None, named)), *arguments.excerpts]
    return [*files, *(network.rglob("*") if network.is_dir() else ())]


def run(arguments: argparse.Namespace) -> int:
    """Audit the network; print, write and judge the report."""
    from upsampling.audit.arrays import audit_arrays
    from upsampling.audit.audit import AuditSettings, audit, respond_to_constants
    from upsampling.audit.repairing import check_target
    from upsampling.audit.terminal import text
    from upsampling.audit.verdict import failures
    from upsampling.networks.loading import Source, open_network
    from upsampling.networks.network import NetworkError
    from upsampling.networks.torch_file import load_callable

    source = Source(
        path=arguments.network,
        kind=arguments.input,
        samplerate=arguments.samplerate,
        channels=arguments.channels,
        weights=arguments.weights,
        first=arguments.first,
        last=arguments.last,
        length=arguments.length,
    )
    outputs = {f"--{name}": getattr(arguments, name) for name in OUTPUTS}
    check_outputs(outputs, files_of(arguments))
    if arguments.repair:
        check_target(arguments.repair, arguments.network)
    if arguments.excerpts and not (arguments.repair and arguments.repair_for == "sounds"):
        raise UserError("--excerpts: they count for --repair OUT --repair-for sounds alone")
    features = load_callable(arguments.features, "--features") if arguments.features else None
    network, structure, notes = open_network(source)
    settings = AuditSettings(arguments.seed, arguments.seconds)
    arrays = {}
    try:
        responses = respond_to_constants(network, structure, settings.seed)
        report = audit(network, structure, responses, notes, features, settings)
        if arguments.arrays:
            arrays = audit_arrays(network, structure, responses, features, settings)
        if arguments.repair:
            report["repair"] = _repair(arguments, network, structure, report, features)
        if arguments.repair and arguments.arrays:
            after = respond_to_constants(network, structure, settings.seed)
            repaired = audit_arrays(network, structure, after, features, settings)
            arrays |= {f"{name}_repaired": repaired[name] for name in WAVEFORMS}
    except NetworkError as error:
        raise UserError(f"{arguments.network}: {error}") from error
    if arguments.json:
        write_json(arguments.json, report)
    if arguments.arrays:
        save_arrays(arguments.arrays, arrays)
    if arguments.html:
        from upsampling.audit.page import page

        write_text(arguments.html, page(report, responses.silence.period))
    with readers_may_leave(sys.stdout):
        print(text(report))
    broken = failures(report, arguments.fail_above) if arguments.fail_above is not None else []
    for sentence in broken:
        print(f"failed: {sentence}", file=sys.stderr)
    return 1 if broken else 0


def _repair(
    arguments: argparse.Namespace,
    network: "Network",
    structure: "Structure",
    report: dict[str, Any],
    features: "Features | None",
) -> dict[str, Any]:
    """Repair the network and write it."""
    from upsampling.audit.repairing import repair_network, write_network

    repaired = repair_network(
        network,
        structure,
        report,
        arguments.repair_for,
        arguments.excerpts,
        features,
        arguments.seed,
        arguments.seconds,
    )
    write_network(network, arguments.repair)
    return repaired
