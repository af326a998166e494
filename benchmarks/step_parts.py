"""Parts of a training step, and the time that each takes by torch's profiler."""

from collections.abc import Callable

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

# Parts of a step, each with fragments of the names of its operations in torch's profiler.
PARTS = {
    "LSTM": ("rnn_layer", "lstm", "_cudnn_rnn"),
    "convolutions": ("convolution", "conv2d"),
    "matrix products": ("::mm", "::bmm", "::addmm"),
    "copies": ("copy_", "::cat", "::index_select", "repeat_interleave", "upsample", "::fill_"),
    "Adam": ("adam", "Adam"),
}


def spent(step: Callable[[], object], device: str = "cpu", steps: int = 3) -> dict[str, float]:
    """Seconds of `steps` steps per part: on a CPU its own, of a GPU those of its kernels."""
    activities = [ProfilerActivity.CPU]
    if device == "cuda":
        activities.append(ProfilerActivity.CUDA)
    step()
    with profile(activities=activities) as profiler:
        for _ in range(steps):
            step()
        torch.get_device_module(device).synchronize()
    seconds = dict.fromkeys([*PARTS, "all else"], 0.0)
    for event in profiler.key_averages():
        # A kernel is listed by itself, too, beside the operation that started it.
        if event.device_type != DeviceType.CPU:
            continue
        parts = (part for part, names in PARTS.items() if any(n in event.key for n in names))
        time = event.self_cpu_time_total if device == "cpu" else event.self_device_time_total
        seconds[next(parts, "all else")] += time / 1e6
    return seconds


def shares(step: Callable[[], object]) -> dict[str, float]:
    """Share of a step's time on the CPU per part."""
    seconds = spent(step)
    total = sum(seconds.values())
    return {part: time / total for part, time in seconds.items()}
