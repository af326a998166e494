"""A trial of each model before any job starts: it is built, and makes a training step.

Models are built on the meta device, where no weight is allocated. Operators and architectures from
a user's file also run, as they do in training, measuring and scoring.
"""

import os
import tempfile
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from upsampling.config.model import DemucsLikeSettings, OwnSettings, model_settings
from upsampling.errors import UserError, reason_of
from upsampling.models import build, count_parameters
from upsampling.models.base import AudioModel
from upsampling.models.own import load_own_weights
from upsampling.operators import OPERATORS, build_operator, output_length
from upsampling.operators.base import seeded
from upsampling.training import checkpoint_file

# Even, odd and prime, and longer than any filter that a layer may pad by reflection.
LENGTHS = (64, 65, 97)
BATCHES = (1, 2)
# A larger model from a user's file makes no training step here, which would take minutes.
LARGEST_TRIAL = 20_000_000
# The sources and channels of the data sets, which these settings have.
DATA = DemucsLikeSettings()


def try_model(model: Mapping[str, Any], trained: bool) -> None:
    """Build a model on the meta device and, if it is a user's, try it; `UserError` if that fails.

    A model that is `trained` makes a step on trial.
    """
    settings = model_settings(model, "model")
    try:
        parameters = count_parameters(settings)
    except (RuntimeError, OverflowError, MemoryError) as error:
        raise UserError(
            f"a model of that size cannot be built ({reason_of(error, 120)}); lower its channels, "
            "depth or kernel sizes"
        ) from error
    if isinstance(settings, OwnSettings):
        if settings.weights is not None:
            load_own_weights(settings, 0)
        elif parameters <= LARGEST_TRIAL:
            where = f"architecture {settings.architecture}"
            built = guarded(where, partial(build, settings))
            if trained:
                require_sources(built, where)
            try_architecture(built, trained)


def require_sources(model: AudioModel, where: str) -> None:
    """Raise `UserError` unless `model` separates the sources of the data sets, in stereo."""
    given = (tuple(model.sources), model.audio_channels)
    if given != (DATA.sources, DATA.audio_channels):
        raise UserError(
            f"{where}: it has the sources {', '.join(model.sources) or 'none'} and "
            f"audio_channels {model.audio_channels}; a model that is trained here has "
            f"{', '.join(DATA.sources)} and {DATA.audio_channels}; otherwise add `train: false`"
        )


def try_architecture(model: AudioModel, trained: bool) -> None:
    """Ask `model` for outputs of several lengths, and train it for one step if it is `trained`."""
    where = f"architecture {type(model).__name__}"
    for least in (1, 1001, 4096):
        length = guarded(where, lambda least=least: model.input_length(least))
        inputs = noise(1, model.audio_channels, length)
        output = twice(where, partial(guarded, where, partial(model.process, inputs)))
        expected = (1, max(1, len(model.sources)), model.audio_channels)
        if tuple(output.shape[:-1]) != expected or output.shape[-1] < least:
            raise UserError(
                f"{where}: [1, {model.audio_channels}, {length}] gave {list(output.shape)}, "
                f"expected {[*expected, least]} or longer; see input_length"
            )
        refuse_not_finite(output, where)
    if trained:
        learn(model.train(), noise(2, model.audio_channels, model.input_length(1)), where)


def try_operator(
    name: str,
    in_channels: int,
    out_channels: int,
    stride: int,
    bias: bool,
    options: Mapping[str, Any],
) -> None:
    """Build an operator, upsample with it and, if it is a user's, train it for a step.

    Raises `UserError` if an output is not `[batch, out_channels, output_length(time)]`, finite and
    of its input's precision, for several lengths, batches and both precisions; if it passes no
    gradient on; or if its weights cannot be stored and restored.
    """
    where = f"operator '{name}' at stride {stride}"
    from_file = name not in OPERATORS
    shape = (in_channels, out_channels, stride)

    def built() -> nn.Module:
        with seeded(0):
            return guarded(where, lambda: build_operator(name, *shape, bias=bias, options=options))

    layer = built()
    for precision in (torch.float32, torch.float64) if from_file else (torch.float32,):
        layer.to(precision).eval()
        for time in LENGTHS if from_file else LENGTHS[:1]:
            for batch in BATCHES if from_file else BATCHES[:1]:
                inputs = noise(batch, in_channels, time).to(precision)
                call = partial(run, layer, inputs, where)
                output = twice(where, call) if from_file else call()
                expected = [batch, out_channels, output_length(layer, stride, time)]
                if list(output.shape) != expected:
                    raise UserError(
                        f"{where}: {list(inputs.shape)} gave {list(output.shape)}, expected "
                        f"{expected}; define output_length(time) if its borders differ"
                    )
                if output.dtype != precision:
                    raise UserError(
                        f"{where}: {short(precision)} gave {short(output.dtype)}; create tensors "
                        "with the input's dtype"
                    )
                refuse_not_finite(output, where)
    if from_file:
        learn(built().train(), noise(2, in_channels, LENGTHS[0]), where)


def learn(layer: nn.Module, inputs: Tensor, where: str) -> None:
    """Make a step as training does, then store and restore weights and moments."""
    inputs.requires_grad_()
    output = run(layer, inputs, where, grad=True)
    if not output.requires_grad:
        raise UserError(
            f"{where} passes no gradient to its input; compute with differentiable functions of "
            "torch alone"
        )
    guarded(where, lambda: output.square().mean().backward())
    if inputs.grad is None or not inputs.grad.isfinite().all():
        raise UserError(f"{where} passes no finite gradient to its input")
    if not any(True for _ in layer.parameters()):
        return
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-4, fused=True)
    checkpoint_file.prepare_moments(optimizer)
    guarded(where, optimizer.step)
    for name, tensor in layer.state_dict().items():
        if tensor.dtype not in checkpoint_file.DTYPES:
            raise UserError(
                f"{where}: {name} is of type {short(tensor.dtype)}, which checkpoints cannot "
                "hold; register it with persistent=False, or choose another type"
            )
        refuse_not_finite(tensor, f"{where}: {name} after one step")
    state = checkpoint_file.pack(layer, optimizer)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trial.safetensors")
        guarded(where, lambda: checkpoint_file.save(path, state, {}))
        guarded(where, lambda: checkpoint_file.restore(path, layer, optimizer))


def twice(where: str, function: Callable[[], Tensor]) -> Tensor:
    """Return `function()`; `UserError` if it is another one at a second call with the same seed."""
    outputs = []
    for _ in range(2):
        with seeded(0):
            outputs.append(function())
    if outputs[0].isfinite().all() and not torch.equal(*outputs):
        raise UserError(
            f"{where} gives another output for the same input at its second call; keep no state "
            "from one call to the next"
        )
    return outputs[0]


def run(layer: nn.Module, inputs: Tensor, where: str, grad: bool = False) -> Tensor:
    """`layer(inputs)`; `UserError` if that fails or is no tensor."""
    with torch.set_grad_enabled(grad):
        output = guarded(where, lambda: layer(inputs))
    if not isinstance(output, Tensor):
        raise UserError(f"{where} returned {type(output).__name__}; return one tensor")
    return output


def guarded(where: str, function: Any) -> Any:
    """Return `function()`; any exception becomes a `UserError` that names the line.

    So does a change of what other code relies on.
    """
    before = surroundings()
    try:
        result = function()
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason = " ".join(str(error).split())[:300]
        line = f"{Path(last.filename).name}, line {last.lineno}"
        raise UserError(f"{where}: {type(error).__name__}: {reason} ({line})") from error
    after = surroundings()
    for name, value in before.items():
        if after[name] != value:
            raise UserError(
                f"{where} changes {name} from {value} to {after[name]} for all other code; leave "
                "it as it is"
            )
    return result


def surroundings() -> dict[str, str]:
    """Settings of the process that jobs share with a user's code, by their names in words."""
    return {
        "torch's default dtype": short(torch.get_default_dtype()),
        "torch's default device": str(torch.get_default_device()),
        "torch's gradient mode": str(torch.is_grad_enabled()),
        "the working folder": os.getcwd(),
    }


def noise(*shape: int) -> Tensor:
    """White noise that is the same at each call."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def refuse_not_finite(values: Tensor, where: str) -> None:
    """Raise `UserError` for NaN or infinity in `values`."""
    if not values.isfinite().all():
        raise UserError(f"{where} gives values that are not finite")


def short(dtype: torch.dtype) -> str:
    """The name of a type without `torch.`."""
    return str(dtype).removeprefix("torch.")
