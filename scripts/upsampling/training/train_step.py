"""One training step: a model's losses, gradients and update on a share of a batch."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn

from upsampling.config.losses import check_segment
from upsampling.config.model import OwnSettings
from upsampling.errors import UserError
from upsampling.losses.terms import TrainingLoss
from upsampling.models import build
from upsampling.models.base import AudioModel, center_trim
from upsampling.training import checkpoint_file
from upsampling.training.channels_last import ChannelsLast
from upsampling.training.device import allow_tf32
from upsampling.training.distributed import Group
from upsampling.training.identity import Run

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TrainStep:
    """The model of `run` and its optimizer; the processes of `group` make each step together.

    A 16-bit precision is that of the passes through the model (with scaled gradients for fp16);
    weights, Adam's moments and losses stay float32.
    """

    def __init__(self, run: Run, group: Group) -> None:
        settings = run.training
        allow_tf32(settings.tf32)
        self.group, self.settings, self.micro_batch = group, settings, run.micro_batch
        self.model: AudioModel = build(run.model, run.seed).to(group.device)
        if tuple(self.model.sources) != tuple(run.store.sources):
            raise UserError(
                f"{run.name}: the model's sources are {', '.join(self.model.sources) or 'none'}; "
                f"those of the data are {', '.join(run.store.sources)}"
            )
        if isinstance(run.model, OwnSettings) and self.model.samplerate != run.store.samplerate:
            raise UserError(
                f"{run.name}: the model's sampling rate is {self.model.samplerate} Hz; that of the "
                f"data is {run.store.samplerate} Hz"
            )
        self.network: nn.Module = self.model
        where, rate = f"{run.name}: training", run.store.samplerate
        check_segment(settings.loss, settings.segment_seconds, rate, where)
        self.loss = TrainingLoss(settings.loss).to(group.device)
        self.own_code = any(getattr(run.model, key, "") for key in ("code", "operator_code"))
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=settings.learning_rate, fused=True
        )
        checkpoint_file.prepare_moments(self.optimizer)
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=settings.precision == "fp16")

    def connect(self) -> None:
        """Exchange gradients with the other processes from now on; all must hold equal weights."""
        self.network = self.group.ddp(self.model, unused=self.own_code)

    def step(self, batch: Tensor) -> Tensor:
        """Make a step on a share of a batch; return its part of the global batch's mean loss.

        Nothing here makes the CPU wait for a GPU: the result may still have to be computed.
        """
        size = self.settings.batch_size
        parts = batch.split(self.micro_batch or len(batch))
        loss = torch.zeros((), dtype=torch.float64, device=self.group.device)
        for number, part in enumerate(parts, 1):
            last = number == len(parts)
            with nullcontext() if last else self.group.no_sync(self.network):
                losses = self.losses(self.network, part)
                # DDP takes the mean of gradients over processes; the loss is a mean over examples.
                self.scaler.scale(losses.sum() * (self.group.size / size)).backward()
            loss += losses.detach().sum(dtype=torch.float64) / size
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def losses(self, network: nn.Module, sources: Tensor) -> Tensor:
        """Loss of each example, `[batch]`: its separated mixture against the center of `sources`.

        `sources` is `[batch, sources, audio_channels, time]`, on the group's device.
        """
        precision = PRECISIONS[self.settings.precision]
        layout = ChannelsLast() if self.settings.channels_last else nullcontext()
        enabled = precision != torch.float32
        with layout, torch.autocast(self.group.device.type, precision, enabled=enabled):
            estimates = network(sources.sum(dim=1))
        return self.loss(estimates.float(), center_trim(sources, estimates.shape[-1]))
