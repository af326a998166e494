"""Too little memory ends a run with one line that names micro_batch, which then fits."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
import torch
import training_runs as small
from torch.nn.modules.module import register_module_forward_pre_hook

from upsampling.errors import UserError
from upsampling.models.demucs_like import DemucsLike
from upsampling.training import loop

BATCH = {"epochs": 1, "batch_size": 16, "examples_per_epoch": 32, "segment_seconds": 2.0}
Limit = Callable[[int], AbstractContextManager[None]]


def train(store, group, folder, micro_batch):
    run = small.make_run(store, folder / "checkpoints", micro_batch=micro_batch, **BATCH)
    loop.train(run, group, folder / "model")


@pytest.fixture
def room_for(store, group, tmp_path) -> Limit:
    """A context in which a step on more examples than given does not fit the device's memory."""

    def reserved(examples: int) -> int:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        train(store, group, tmp_path / f"all{examples}", examples)
        return torch.cuda.max_memory_reserved()

    @contextmanager
    def memory(examples: int) -> Iterator[None]:
        needed, refused = reserved(examples), reserved(BATCH["batch_size"])
        assert refused > 2 * needed
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(group.device).total_memory
        torch.cuda.set_per_process_memory_fraction((needed + refused) / 2 / total)
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)

    @contextmanager
    def imitated(examples: int) -> Iterator[None]:
        def refuse(module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
            if isinstance(module, DemucsLike) and len(inputs[0]) > examples:
                torch.empty(2**50)

        with register_module_forward_pre_hook(refuse):
            yield

    return memory if group.device.type == "cuda" else imitated


def test_micro_batches_fit_where_a_batch_does_not(store, group, tmp_path, room_for):
    with room_for(2):
        with pytest.raises(UserError, match="micro_batch in a profile") as error:
            train(store, group, tmp_path, 0)
        train(store, group, tmp_path, 2)
    message = str(error.value)
    assert "\n" not in message
    assert f"{group.device} has not enough memory: " in message
    assert (tmp_path / "model" / "best.safetensors").exists()


def test_weights_that_do_not_fit_are_one_line_too(store, group, tmp_path, monkeypatch):
    """The device refuses the first tensor."""

    def refuse(module: torch.nn.Module, *arguments: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.")

    monkeypatch.setattr(DemucsLike, "to", refuse)
    with pytest.raises(UserError, match="out of memory"):
        train(store, group, tmp_path, 0)
