"""A Python file with factories of networks, and a file that it imports."""

from pathlib import Path

FACTORIES = '''
import torch
from torch import nn
from neighbour import STRIDE

class Vocoder(nn.Module):
    sample_rate = 16000
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv1d(5, 4, 3, padding=1)
        self.up = nn.ConvTranspose1d(4, 1, 8, STRIDE, padding=2)
    def forward(self, x):
        return self.up(self.first(x))

class Rows(nn.Module):
    """Samples in rows, without channels."""
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose1d(1, 1, 8, 4, padding=2)
    def forward(self, x):
        batch, time = x.shape
        return self.up(x[:, None])[:, 0]

class Stereo(nn.Module):
    """Two channels through a stride of 4 and back."""
    def __init__(self):
        super().__init__()
        self.down = nn.Conv1d(2, 2, 8, 4, padding=2)
        self.up = nn.ConvTranspose1d(2, 2, 8, 4, padding=2)
    def forward(self, x):
        return self.up(self.down(x))

class Single(nn.Module):
    """Computes in single precision alone."""
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose1d(5, 1, 8, 4, padding=2)
    def forward(self, x):
        assert x.dtype == torch.float32, "single precision only"
        return {"audio": (self.up(x),)}

def not_a_module():
    return 3

def failing():
    raise RuntimeError("no weights\\nfor you")
'''


def write_factories(folder: Path) -> Path:
    """Write nets.py and its neighbour into `folder`, which is returned."""
    (folder / "nets.py").write_text(FACTORIES)
    (folder / "neighbour.py").write_text("STRIDE = 4\n")
    return folder
