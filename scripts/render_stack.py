"""Process a signal with single-channel operators in series, and predict their outputs.

    python scripts/render_stack.py --stack '{"operator": "transposed", "signal": "ones"}' \\
        --output stack.npz --prediction prediction.npz

--stack has the keys of a column of figure6 in config.yaml.
"""

from pathlib import Path

from upsampling.arguments import parser, settings
from upsampling.config.figures import Stack
from upsampling.errors import command_line
from upsampling.files import LISTENING_PEAK, save_arrays, write_wav


def main() -> None:
    options = parser(__doc__)
    options.add_argument(
        "--stack", type=settings(Stack, "--stack"), required=True, help="JSON or file"
    )
    options.add_argument("--output", type=Path, required=True, help="waveforms (.npz)")
    options.add_argument("--prediction", type=Path, help="predicted spectra (.npz)")
    options.add_argument("--audio", help="WAV files: a pattern with {layer}")
    arguments = options.parse_args()

    from upsampling.probes.operator_stack import names_and_rates, stack_outputs
    from upsampling.theory.prediction import stack_prediction

    arrays = stack_outputs(arguments.stack)
    save_arrays(arguments.output, arrays)
    if arguments.prediction:
        save_arrays(arguments.prediction, stack_prediction(arrays["signal"], arguments.stack))
    if arguments.audio:
        for name, rate in names_and_rates(arrays):
            path = arguments.audio.format(layer=name)
            write_wav(path, arrays[name], rate, LISTENING_PEAK)


if __name__ == "__main__":
    command_line(main)
