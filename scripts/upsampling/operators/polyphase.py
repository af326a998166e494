"""Interpolation and convolution in one, at the low rate: the same function for less work.

Interpolation by `stride` and a convolution after it cost `stride * length` multiply-adds per
input sample and pair of channels, against `length` for a transposed convolution: hence the dearer
epochs of nearest and linear in Table 1 and footnote 1. Most of that work is redundant.

Derivation. Let u be the interpolated signal and P = (length - 1) // 2, so that one channel gives
y[t] = sum_n w[n] u[t - P + n]. Away from the borders every interpolation here is
u[i] = sum_q h[i - stride * q] x[q] with a short filter h, hence, with t = stride * q + j,

    y[stride * q + j] = sum_m sum_n w[n] B[n, j, m] x[q + m],
    B[n, j, m] = h[j - P + n - stride * m].

B is fixed, and the sums over filter taps n and over channels commute:

* order `kernel`: the low-rate kernel sum_n w[n] B[n, j, m] first, then one convolution from C to
  `stride * O` channels and the periodic shuffle. B acts on the weights: good for long signals.
* order `taps`: w[n] x for every tap first, one matrix product from C to `length * O` channels,
  then B. B acts on the signal: good where weights outnumber samples, as in the innermost blocks.

Borders. The convolution pads u with zeros, while linear interpolation holds the first and last
sample. Extending x by zeros gives a u that is off near both borders, by multiples e_first[i] x[0]
and e_last[i] x[-1] of the outermost samples. So sum_n w[n] e_first[t - P + n] x[0] corrects the
first outputs, and likewise the last, exactly and for every length of the signal. For nearest
there is nothing to correct.

h, e_first and e_last are read off the interpolation's response to three impulses, so that the
plain form stays the only definition. All steps are linear in x and in w; their adjoints give the
gradients.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from upsampling.operators.phases import Phases, as_tensor


def convolve(
    signal: Tensor, weight: Tensor, bias: Tensor | None, phases: Phases, order: str
) -> Tensor:
    """Interpolate and convolve: `[batch, C, time]` to `[batch, O, stride * time]`.

    `weight` is `[O, C, length]`, the filter of the convolution after the interpolation, `bias`
    `[O]` or none; `order` is `kernel` or `taps`. Differentiable once. Under autocast all of it is
    computed in autocast's type, as convolutions are, and so are the gradients.
    """
    device = signal.device.type
    if not torch.is_autocast_enabled(device):
        return ORDERS[order].apply(signal, weight, bias, phases)
    dtype = torch.get_autocast_dtype(device)
    with torch.autocast(device, enabled=False):
        short = None if bias is None else bias.to(dtype)
        return ORDERS[order].apply(signal.to(dtype), weight.to(dtype), short, phases)


class KernelOrder(torch.autograd.Function):
    """B acts on the weights. Signals have their channels last: then the shuffle is a reshape."""

    @staticmethod
    def forward(
        ctx: Any, signal: Tensor, weight: Tensor, bias: Tensor | None, phases: Phases
    ) -> Tensor:
        batch, channels, time = signal.shape
        stride, window, back = phases.stride, phases.window, phases.back
        taps = as_tensor(phases, "taps", signal.dtype, signal.device)
        # [O, window * stride, C], to output channels that run over phases first, then over O.
        kernel = torch.matmul(taps, weight.transpose(1, 2)).unflatten(1, (window, stride))
        kernel = kernel.permute(2, 0, 1, 3).reshape(-1, 1, window, channels).permute(0, 3, 1, 2)
        padded = signal.new_zeros(batch, 1, time + window - 1, channels)
        padded[:, 0, back : back + time] = signal.transpose(1, 2)
        padded, kernel = _fast_layout(padded.permute(0, 3, 1, 2)), _fast_layout(kernel)
        low = functional.conv2d(padded, kernel, None if bias is None else bias.repeat(stride))
        output = low.permute(0, 2, 3, 1).reshape(batch, stride * time, -1)
        output = output.transpose(1, 2).contiguous()
        if phases.corrected:
            responses = torch.einsum("ebc,ocn->ebon", _ends(signal), weight)
            _correct(output, responses, phases)
        ctx.save_for_backward(padded, weight, kernel)
        ctx.phases = phases
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        padded, weight, kernel = ctx.saved_tensors
        phases, wanted = ctx.phases, ctx.needs_input_grad
        stride, window = phases.stride, phases.window
        batch, channels = padded.shape[:2]
        time = gradient.shape[-1] // stride
        inside = slice(phases.back, phases.back + time)
        low = gradient.transpose(1, 2).reshape(batch, 1, time, -1).permute(0, 3, 1, 2)
        signal_gradient, kernel_gradient, bias_gradient = torch.ops.aten.convolution_backward(
            _fast_layout(low), padded, kernel, [low.shape[1]], stride=[1, 1], padding=[0, 0],
            dilation=[1, 1], transposed=False, output_padding=[0, 0], groups=1,
            output_mask=[wanted[0], True, wanted[2]],
        )  # fmt: skip
        split = kernel_gradient.permute(0, 2, 3, 1).reshape(stride, -1, window, channels)
        split = split.permute(1, 2, 0, 3).flatten(1, 2)
        taps = as_tensor(phases, "taps", gradient.dtype, gradient.device)
        weight_gradient = torch.matmul(split.transpose(1, 2), taps)
        if wanted[0]:
            signal_gradient = signal_gradient[:, :, 0, inside].contiguous()
        if phases.corrected:
            responses = _corrections(gradient, phases)
            ends = _ends(padded[:, :, 0, inside])
            weight_gradient += torch.einsum("ebc,ebon->ocn", ends, responses)
            if wanted[0]:
                _add_ends(signal_gradient, torch.einsum("ebon,ocn->ebc", responses, weight))
        if wanted[2]:
            bias_gradient = bias_gradient.view(stride, -1).sum(0)
        return signal_gradient, weight_gradient, bias_gradient, None


class TapsOrder(torch.autograd.Function):
    """B acts on the signal, after one matrix product with all filter taps at the low rate."""

    @staticmethod
    def forward(
        ctx: Any, signal: Tensor, weight: Tensor, bias: Tensor | None, phases: Phases
    ) -> Tensor:
        batch, channels, time = signal.shape
        stride, length, window = phases.stride, phases.length, phases.window
        flat = signal.transpose(0, 1).reshape(channels, batch * time)
        matrix = weight.transpose(0, 1).reshape(channels, -1)
        responses = (matrix.t() @ flat).view(-1, length, batch * time)
        taps = as_tensor(phases, "taps", signal.dtype, signal.device)
        parts = torch.matmul(taps, responses).view(-1, window, stride, batch, time)
        output = parts[:, phases.back]
        if bias is not None:
            output += bias.view(-1, 1, 1, 1)
        for index in range(window):
            if index != phases.back:
                here, there = _overlap(index - phases.back, time)
                output[..., here] += parts[:, index, ..., there]
        output = output.permute(2, 0, 3, 1).reshape(batch, -1, stride * time)
        if phases.corrected:
            ends = _ends(responses.view(-1, length, batch, time))
            _correct(output, ends.permute(0, 3, 1, 2), phases)
        ctx.save_for_backward(signal, matrix)
        ctx.phases = phases
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        signal, matrix = ctx.saved_tensors
        phases, wanted = ctx.phases, ctx.needs_input_grad
        stride, length, window = phases.stride, phases.length, phases.window
        batch, channels, time = signal.shape
        split = gradient.reshape(batch, -1, time, stride).permute(1, 3, 0, 2)
        parts = gradient.new_zeros(split.shape[0], window, stride, batch, time)
        for index in range(window):
            here, there = _overlap(index - phases.back, time)
            parts[:, index, ..., there] = split[..., here]
        taps = as_tensor(phases, "taps", gradient.dtype, gradient.device)
        responses = torch.matmul(taps.t(), parts.view(-1, window * stride, batch * time))
        if phases.corrected:
            ends = _corrections(gradient, phases).permute(0, 2, 3, 1)
            _add_ends(responses.view(-1, length, batch, time), ends)
        responses = responses.view(-1, batch * time)
        flat = signal.transpose(0, 1).reshape(channels, batch * time)
        weight_gradient = (flat @ responses.t()).view(channels, -1, length)
        weight_gradient = weight_gradient.transpose(0, 1).contiguous()
        signal_gradient = None
        if wanted[0]:
            signal_gradient = (matrix @ responses).view(channels, batch, time)
            signal_gradient = signal_gradient.transpose(0, 1).contiguous()
        return signal_gradient, weight_gradient, gradient.sum((0, 2)) if wanted[2] else None, None


ORDERS: dict[str, type[KernelOrder] | type[TapsOrder]] = {"kernel": KernelOrder, "taps": TapsOrder}


def _fast_layout(signal: Tensor) -> Tensor:
    """`[batch, C, 1, time]`, on a CPU with channels last in memory: its convolutions want that."""
    cpu = signal.device.type == "cpu"
    return signal.contiguous(memory_format=torch.channels_last if cpu else torch.contiguous_format)


def _overlap(offset: int, time: int) -> tuple[slice, slice]:
    """The samples of a signal that have a neighbour `offset` samples later, and the neighbours."""
    size = max(0, time - abs(offset))
    here, there = max(0, -offset), max(0, offset)
    return slice(here, here + size), slice(there, there + size)


def _ends(signal: Tensor) -> Tensor:
    """First and last sample, stacked: `[..., time]` to `[2, ...]`."""
    return torch.stack([signal[..., 0], signal[..., -1]])


def _add_ends(signal: Tensor, ends: Tensor) -> None:
    """The adjoint of `_ends`: add `[2, ...]` to the first and last sample, in place."""
    signal[..., 0] += ends[0]
    signal[..., -1] += ends[1]


def _correct(output: Tensor, responses: Tensor, phases: Phases) -> None:
    """Add the border corrections to `output`, `[batch, O, time]`, in place.

    `responses` are all taps' products with the first and the last sample, `[2, batch, O, length]`.
    """
    first, last = _border_maps(output, phases)
    output[..., : first.shape[1]] += responses[0] @ first
    output[..., output.shape[-1] - last.shape[1] :] += responses[1] @ last


def _corrections(gradient: Tensor, phases: Phases) -> Tensor:
    """The adjoint of `_correct`: `[batch, O, time]` to `[2, batch, O, length]`."""
    first, last = _border_maps(gradient, phases)
    start = gradient[..., : first.shape[1]] @ first.t()
    end = gradient[..., gradient.shape[-1] - last.shape[1] :] @ last.t()
    return torch.stack([start, end])


def _border_maps(signal: Tensor, phases: Phases) -> tuple[Tensor, Tensor]:
    """`first` and `last`, cut to what fits a short signal."""
    time = signal.shape[-1]
    first = as_tensor(phases, "first", signal.dtype, signal.device)
    last = as_tensor(phases, "last", signal.dtype, signal.device)
    return first[:, :time], last[:, max(0, last.shape[1] - time) :]
