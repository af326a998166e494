"""One model that learns: its losses, and a step on a share of a batch."""

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional

from upsampling.errors import UserError
from upsampling.models import build
from upsampling.models.base import AudioModel, center_trim
from upsampling.training.distributed import Group
from upsampling.training.identity import Run

LOSSES = {"l1": functional.l1_loss, "mse": functional.mse_loss}
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TrainStep:
    """The model of `run`, its optimiser, and how the processes of `group` make a step together.

    In 16 bits the passes through the model are computed so (with scaled gradients for fp16), while
    weights, Adam's moments and losses stay float32.
    """

    def __init__(self, run: Run, group: Group) -> None:
        settings = run.training
        if settings.precision not in PRECISIONS or settings.loss not in LOSSES:
            raise UserError(
                f"{run.name}: training.precision is '{settings.precision}', one of "
                f"{', '.join(PRECISIONS)}, and training.loss '{settings.loss}', one of "
                f"{', '.join(LOSSES)}"
            )
        self.group, self.settings, self.micro_batch = group, settings, run.micro_batch
        self.model: AudioModel = build(run.model, run.seed).to(group.device)
        if tuple(self.model.sources) != tuple(run.store.sources):
            raise UserError(
                f"{run.name}: a model that is trained here separates {', '.join(run.store.sources)}; "
                f"this one has {', '.join(self.model.sources) or 'no sources'}"
            )
        self.network: nn.Module = self.model
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=settings.learning_rate, fused=True
        )
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=settings.precision == "fp16")

    def connect(self) -> None:
        """From here on, exchange gradients with the other processes, which hold equal weights."""
        self.network = self.group.ddp(self.model)

    def step(self, batch: Tensor) -> Tensor:
        """One step on this process's share of a batch; its part of the global batch's mean loss."""
        size = self.settings.batch_size
        parts = batch.split(self.micro_batch or len(batch))
        loss = torch.zeros((), dtype=torch.float64, device=self.group.device)
        for number, part in enumerate(parts, 1):
            last = number == len(parts)
            with nullcontext() if last else self.group.no_sync(self.network):
                each = self.losses(self.network, part)
                # The network's gradients are means over processes, the loss is one over examples.
                self.scaler.scale(each.sum() * (self.group.size / size)).backward()
            loss += each.detach().sum(dtype=torch.float64) / size
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return loss

    def losses(self, network: nn.Module, sources: Tensor) -> Tensor:
        """Loss of each example, `[batch]`: its separated mixture against the centre of `sources`.

        `sources` is `[batch, sources, audio_channels, time]`.
        """
        sources = sources.to(self.group.device, non_blocking=True)
        precision = PRECISIONS[self.settings.precision]
        with torch.autocast(self.group.device.type, precision, enabled=precision != torch.float32):
            estimates = network(sources.sum(dim=1))
        wanted = center_trim(sources, estimates.shape[-1])
        loss = LOSSES[self.settings.loss](estimates.float(), wanted, reduction="none")
        return loss.flatten(1).mean(dim=1)
