"""A network's treatment of time as lines of text: its runs, its layers and their kernels."""

from collections.abc import Iterator

from noted import described

from upsampling.networks.kernels import find_kernel
from upsampling.networks.upsamplers import Structure


def described_network(structure: Structure) -> Iterator[str]:
    """Lines of the operations of the first run, of the layers and of their kernels."""
    yield f"length {structure.length} step {structure.step} rate {structure.rate}"
    yield f"axis {structure.axis} total_stride {structure.total_stride}"
    yield from structure.notes
    for operation in structure.trace.operations:
        shapes = [value.shape for value in (*operation.inputs, *operation.outputs)]
        named = f"{operation.parameters} {operation.grid}"
        yield f"{operation.key} {operation.kind} {shapes} {named}"
    for layer in (*structure.layers, *structure.undone):
        yield f"{layer.name}: {layer.operation.key} {layer.stride} {layer.axis} {layer.offset}"
        yield f"  period {layer.period}{' undone' if layer in structure.undone else ''}"
        kernel = find_kernel(structure, layer)
        if kernel is None:
            yield "  no kernel"
            continue
        yield from described(
            {
                "  size": kernel.size,
                "  source": kernel.source and kernel.source.key,
                "  counts": kernel.counts,
                "  taps": kernel.taps,
                "  bias": kernel.bias,
                "  sums": kernel.phase_sums(),
                "  channels": [] if kernel.channels is None else kernel.channels,
                "  added": [] if kernel.added is None else kernel.added,
                "  support": [] if kernel.support is None else kernel.support.astype(int),
            }
        )
