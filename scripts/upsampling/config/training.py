"""Settings of a training run."""

from dataclasses import dataclass
from typing import Annotated, Literal

from upsampling.config.declared import Bounds, Count, Natural, Seconds, SecondsOrNone
from upsampling.config.losses import Loss

# Settings of what is recorded of a run. They change none of its weights: runs that differ in them
# alone are the same run, and changing them does not retrain.
OBSERVATION = ("artifact_epochs",)


@dataclass(frozen=True)
class TrainingSettings:
    """Training of one model (Sec. 6): L1 loss, Adam, 600 epochs, batches of 32.

    `segment_seconds`, `stride_seconds`, `remix_group` and `shift_seconds` are those of the
    published Demucs, whose augmentation the paper adopts. Weights are float32 in any `precision`.
    """

    revision: Annotated[Count, "raise it when a change of code calls for retraining"] = 1
    loss: Loss = "l1"
    precision: Annotated[
        Literal["fp32", "bf16", "fp16"], "of the model's forward and backward passes"
    ] = "fp32"
    tf32: Annotated[
        bool, "float32 products with 10 bits of mantissa, on NVIDIA GPUs from 2020 on"
    ] = False
    channels_last: Annotated[
        bool, "memory layout of convolutions, for GPUs with tensor cores; changes rounding alone"
    ] = False
    learning_rate: Annotated[float, Bounds(above=0, maximum=10), "of Adam"] = 2.0e-4
    epochs: Count = 600
    batch_size: Annotated[Count, "examples per step, over all processes"] = 32
    segment_seconds: Annotated[Seconds, "length of an example"] = 10.0
    stride_seconds: Annotated[Seconds, "from one segment of a track to the next"] = 1.0
    shift_seconds: Annotated[SecondsOrNone, "longest random shift of a segment"] = 1.0
    remix_group: Annotated[Count, "examples whose sources are shuffled among each other"] = 4
    flip_sign: Annotated[bool, "random sign of each source"] = True
    flip_channels: Annotated[bool, "random swap of each source's channels"] = True
    examples_per_epoch: Annotated[Count | None, "null: one per stride and track"] = None
    validation_seconds: Annotated[
        Seconds | None, "length used of each validation track; null: all"
    ] = None
    artifact_epochs: Annotated[
        Natural, "epochs from one measurement of artifacts to the next; 0: never"
    ] = 1

    def __post_init__(self) -> None:
        if not self.loss:
            raise ValueError("loss: a sum without terms; name one, as in {l1: 1, features: 1}")
