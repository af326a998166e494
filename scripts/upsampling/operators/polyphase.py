"""Interpolation and convolution in one, at the low rate: the same function for less work.

Interpolation by `stride` and a convolution after it cost `stride * kernel_size` multiply-adds per
input sample and pair of channels, against `kernel_size` for a transposed convolution: hence the
slower epochs of nearest and linear in Table 1 and footnote 1. Most of that work is redundant.

Derivation. Let u be the interpolated signal and P = (kernel_size - 1) // 2. One channel gives
y[t] = sum_n w[n] u[t - P + n]. Interpolation is linear in x, u[i] = sum_q U[i, q] x[q], hence

    y[t] = sum_q sum_n w[n] M[n, q, t] x[q],    M[n, q, t] = U[t - P + n, q],

with U = 0 outside the signal, borders included. M is fixed, and the sums over filter taps n and
over channels commute:

* `by_matrix_products`: w[n] x[q] for every tap first, one product from C to `kernel_size * O`
  channels, then M. Good for short signals, as in the innermost blocks of a model, where weights
  outnumber samples.
* `by_convolution`: interpolations are shift-invariant but for their borders. Away from these
  M[n, q + m, stride * q + j] = B[n, j, m] for all q, with m in a short window. The low-rate kernel
  sum_n w[n] B[n, j, m] first, then one convolution from C to `stride * O` channels and the
  periodic shuffle. Good for long signals. The outputs at the borders come from matrix products,
  applied to the first and the last samples alone.

M and B are read off the interpolation's response to impulses, so that the plain implementation
stays the only definition.
"""

import torch
from torch import Tensor
from torch.nn import functional

from upsampling.operators.polyphase_maps import PolyphaseMaps, filter_coefficients, tap_responses


def by_convolution(
    signal: Tensor, weight: Tensor, bias: Tensor | None, maps: PolyphaseMaps
) -> Tensor:
    """Interpolate and convolve: `[batch, C, time]` to `[batch, O, stride * time]`.

    `weight` is `[O, C, kernel_size]`, the filter of the convolution after the interpolation, `bias`
    `[O]` or none. The signal has at least `maps.window` samples. T = time - window + 1 blocks of
    `stride` outputs do not see the borders.
    """
    stride, window, back = maps.stride, maps.window, maps.back
    # [kernel_size, stride * window]
    coefficients = filter_coefficients(maps, weight.dtype, weight.device)
    kernel = (weight @ coefficients).unflatten(2, (stride, 1, window))  # [O, C, stride, 1, window]
    kernel = kernel.permute(2, 0, 1, 3, 4).flatten(0, 1)  # [stride * O, C, 1, window]
    biases = None if bias is None else bias.repeat(stride)  # [stride * O]
    # Convolutions on a CPU are faster with the channels last in memory; then the shuffle is a view.
    layout = torch.channels_last if signal.device.type == "cpu" else torch.contiguous_format
    image = signal.unsqueeze(2).contiguous(memory_format=layout)  # [batch, C, 1, time]
    low = functional.conv2d(image, kernel, biases).squeeze(2)  # [batch, stride * O, T]
    inner = low.transpose(1, 2).unflatten(2, (stride, -1))  # [batch, T, stride, O]
    inner = inner.permute(0, 3, 1, 2)  # [batch, O, T, stride]
    ends = torch.cat([signal[..., :window], signal[..., -window:]])  # [2 * batch, C, window]
    ends = by_matrix_products(ends, weight, bias, maps)  # [2 * batch, O, window * stride]
    first, last = ends.unflatten(2, (window, stride)).chunk(2)  # [batch, O, window, stride] each
    blocks = torch.cat([first[:, :, :back], inner, last[:, :, back + 1 :]], dim=2)
    return blocks.flatten(2)  # [batch, O, time * stride]


def by_matrix_products(
    signal: Tensor, weight: Tensor, bias: Tensor | None, maps: PolyphaseMaps
) -> Tensor:
    """The same as `by_convolution`, for signals of any length."""
    responses = tap_responses(maps, signal.shape[-1], signal.dtype, signal.device)
    products = torch.einsum("ocn,bct->bont", weight, signal)  # [batch, O, kernel_size, time]
    output = products.flatten(2) @ responses.flatten(0, 1)  # [batch, O, stride * time]
    return output if bias is None else output + bias.to(output.dtype).unsqueeze(1)
