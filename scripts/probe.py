"""Feed probe signals to a model, before or after training, or to a stack of operators."""

import argparse
import json
from pathlib import Path

from upsampling.files import write_json, write_wav
from upsampling.settings import model_settings, run

# Random models are quiet (MelGAN: -180 dB); what is kept for listening is scaled to this peak.
LISTENING_PEAK = 0.5


def initialised(arguments: argparse.Namespace) -> None:
    """Probe a randomly initialised model, and count the parameters of the paper's."""
    from upsampling.models import build, count_parameters
    from upsampling.probes.responses import model_response
    from upsampling.probes.spectra import save_arrays

    settings = model_settings(arguments.model, "--model")
    inputs, output, rate = model_response(
        build(settings, arguments.seed), seed=arguments.seed, **arguments.probe
    )
    save_arrays(arguments.output, {"input": inputs, "output": output, "input_samplerate": rate})
    for name, samples in (("input", inputs), ("output", output)):
        write_wav(f"{arguments.audio}_{name}.wav", samples, rate, LISTENING_PEAK)
    paper = model_settings(arguments.paper_model, "--paper-model")
    write_json(arguments.parameters, {"parameters_paper": count_parameters(paper)})


def stack(arguments: argparse.Namespace) -> None:
    """Probe consecutive operators on one signal, and predict what they must make of it."""
    from upsampling.probes.prediction import stack_prediction
    from upsampling.probes.responses import stack_response
    from upsampling.probes.spectra import save_arrays

    arrays = stack_response(**arguments.stack)
    save_arrays(arguments.output, arrays)
    predicted = stack_prediction(arrays["signal"], int(arrays["samplerates"][0]), arguments.stack)
    save_arrays(arguments.theory, predicted)
    names = (name for name in arrays if name != "samplerates")
    for name, rate in zip(names, arrays["samplerates"], strict=True):
        write_wav(f"{arguments.audio}_{name}.wav", arrays[name], int(rate), LISTENING_PEAK)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(required=True)
    one = kinds.add_parser("initialised", help=initialised.__doc__)
    one.add_argument("--model", required=True, type=json.loads, help="model settings, JSON")
    one.add_argument("--paper-model", required=True, type=json.loads, help="at paper width, JSON")
    one.add_argument("--seed", required=True, type=int)
    one.add_argument("--probe", required=True, type=json.loads, help="signal and seconds, JSON")
    one.add_argument("--output", required=True, type=Path, help="arrays (.npz)")
    one.add_argument("--parameters", required=True, type=Path, help="JSON with the count")
    one.set_defaults(function=initialised)
    one.add_argument("--audio", required=True, help="beginning of the WAV files' names")
    layers = kinds.add_parser("stack", help=stack.__doc__)
    layers.add_argument("--stack", required=True, type=json.loads, help="the stack, JSON")
    layers.add_argument("--output", required=True, type=Path, help="arrays (.npz)")
    layers.add_argument("--theory", required=True, type=Path, help="arrays of the prediction")
    layers.add_argument("--audio", required=True, help="beginning of the WAV files' names")
    layers.set_defaults(function=stack)
    arguments = parser.parse_args()
    arguments.function(arguments)


if __name__ == "__main__":
    run(main)
