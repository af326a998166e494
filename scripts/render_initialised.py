"""Process a signal with a randomly initialised model; count parameters at the paper's width.

    python scripts/render_initialised.py --seconds 1 --output nearest.npz \\
        --model-settings '{"operator": "nearest", "channels": 8}'

--model-settings has the keys of the section model of config.yaml, and operator and options.
"""

from pathlib import Path

from upsampling.arguments import json_or_file, parser
from upsampling.config.model import model_settings
from upsampling.errors import command_line
from upsampling.files import LISTENING_PEAK, save_arrays, write_json, write_wav


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--model-settings", type=json_or_file, required=True, help="JSON or file")
    options.add_argument("--paper-model-settings", type=json_or_file, help="model to count")
    options.add_argument("--seed", type=int, default=0, help="of weights and signal")
    options.add_argument("--signal", default="white_noise")
    options.add_argument("--seconds", type=float, default=6.0)
    options.add_argument("--output", type=Path, required=True, help="input and output (.npz)")
    options.add_argument("--audio", help="WAV files: a pattern with {kind}, input or output")
    options.add_argument("--parameters", type=Path, help="JSON with the number of parameters")
    arguments = options.parse_args()

    from upsampling.models import build, count_parameters
    from upsampling.probes.model_output import model_output

    settings = model_settings(arguments.model_settings, "--model-settings")
    model = build(settings, arguments.seed)
    inputs, output, rate = model_output(model, arguments.signal, arguments.seconds, arguments.seed)
    save_arrays(arguments.output, {"input": inputs, "output": output, "input_samplerate": rate})
    if arguments.audio:
        for kind, samples in (("input", inputs), ("output", output)):
            write_wav(arguments.audio.format(kind=kind), samples, rate, LISTENING_PEAK)
    if arguments.parameters:
        paper = arguments.paper_model_settings or arguments.model_settings
        count = count_parameters(model_settings(paper, "--paper-model-settings"))
        write_json(arguments.parameters, {"parameters_paper": count})


if __name__ == "__main__":
    command_line(main)
