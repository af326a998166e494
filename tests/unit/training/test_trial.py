"""Operators and architectures from a user's file either work to the end or are refused at once."""

import contextlib
import textwrap

import pytest
import torch

from upsampling.config.operators import OPTIONS
from upsampling.errors import UserError
from upsampling.training.trial import try_model, try_operator

HEAD = """
import torch
from torch import nn

class Own(nn.Module):
    def __init__(self, in_channels, out_channels, stride, *, bias=True):
        super().__init__()
        self.stride = stride
        self.layer = nn.ConvTranspose1d(in_channels, out_channels, stride, stride, bias=bias)
        self.prepare()

    def prepare(self):
        pass

    def forward(self, signal):
        return self.layer(signal)
"""


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    """What operators change is as before after each test."""
    monkeypatch.chdir(tmp_path)
    yield
    torch.set_default_dtype(torch.float32)


def tried(tmp_path, body: str, head: str = HEAD) -> None:
    path = tmp_path / "own.py"
    path.write_text(head + textwrap.indent(textwrap.dedent(body), "    "))
    try_operator(f"{path}:Own", 4, 2, 4, True, {})


WORKING = {
    "as it is": "pass",
    "frozen parameter": "def prepare(self): self.layer.weight.requires_grad_(False)",
    "unused parameter": "def prepare(self): self.unused = nn.Parameter(torch.zeros(3))",
    "integer buffer": "def prepare(self): self.register_buffer('steps', torch.zeros(2).long())",
    "double buffer": "def prepare(self): self.register_buffer('taps', torch.ones(2).double())",
    "zero weights": "def prepare(self): nn.init.zeros_(self.layer.weight)",
    "weight norm": (
        "def prepare(self): self.layer = nn.utils.parametrizations.weight_norm(self.layer)"
    ),
    "no parameters": """
        def prepare(self):
            del self.layer
        def forward(self, signal):
            return signal[:, :2].repeat_interleave(self.stride, dim=2)
        """,
    "longer borders": """
        def prepare(self):
            self.layer = nn.ConvTranspose1d(4, 2, 9, self.stride)
        def output_length(self, time):
            return (time - 1) * self.stride + 9
        """,
}


@pytest.mark.parametrize("body", WORKING.values(), ids=WORKING)
def test_operators_that_work_pass(tmp_path, body):
    tried(tmp_path, body)


REFUSED = {
    "short at odd lengths": (
        "def forward(self, signal): return self.layer(signal[..., : signal.shape[-1] // 2 * 2])",
        "[1, 4, 65] gave [1, 2, 256], expected [1, 2, 260]",
    ),
    "one example only": (
        "def forward(self, signal): return self.layer(signal[:1])",
        "[2, 4, 64] gave [1, 2, 256], expected [2, 2, 256]",
    ),
    "single precision only": (
        "def forward(self, signal): return self.layer(signal) * torch.ones(1, dtype=torch.float64)",
        "float32 gave float64",
    ),
    "always single precision": (
        "def forward(self, signal): return self.layer(signal).float()",
        "float64 gave float32",
    ),
    "mixed precisions": (
        "def forward(self, signal): return self.layer(signal.float())",
        "RuntimeError",
    ),
    "tuple": ("def forward(self, signal): return self.layer(signal), 1", "tuple"),
    "numpy": (
        "def forward(self, signal): return torch.from_numpy(self.layer(signal).detach().numpy())",
        "passes no gradient",
    ),
    "detached input": (
        "def forward(self, signal): return self.layer(signal.detach())",
        "passes no finite gradient to its input",
    ),
    "infinite gradient": (
        "def forward(self, signal): return self.layer(signal) + (signal * 0).sum().sqrt()",
        "passes no finite gradient",
    ),
    "not finite": ("def prepare(self): self.layer.weight.data.fill_(float('nan'))", "not finite"),
    "raises": (
        "def forward(self, signal): raise KeyError('exp_avg')",
        "KeyError",
    ),
    "raises when it learns": (
        "def forward(self, signal): return self.layer(signal) / (0 if self.training else 1)"
        " if not self.training else self.nothing",
        "nothing",
    ),
    "constructor": ("def prepare(self): raise AttributeError('no such thing')", "no such thing"),
    "complex buffer": (
        "def prepare(self): self.register_buffer('roots', torch.ones(2) * 1j)",
        "roots is of type complex64",
    ),
    "state": (
        """
        def forward(self, signal):
            self.calls = getattr(self, 'calls', 0) + 1
            return self.layer(signal) * self.calls
        """,
        "gives another output for the same input at its second call",
    ),
    "default dtype": (
        """
        def forward(self, signal):
            torch.set_default_dtype(torch.float64)
            return self.layer(signal)
        """,
        "changes torch's default dtype from float32 to float64 for all other code",
    ),
    "working folder": (
        """
        def forward(self, signal):
            __import__('os').chdir('/')
            return self.layer(signal)
        """,
        "changes the working folder from ",
    ),
    "exit": (
        """
        def forward(self, signal):
            raise SystemExit(3)
        """,
        "SystemExit: 3",
    ),
    "output length": ("def output_length(self, time): return None", "output_length"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_operators_that_would_fail_later_are_refused(tmp_path, body, reason):
    with pytest.raises(UserError) as caught:
        tried(tmp_path, body)
    message = str(caught.value)
    assert reason in message
    assert "\n" not in message
    assert "own.py" in message


def test_a_class_that_is_no_module_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no subclass of torch\.nn\.Module"):
        tried(tmp_path, "", "class Own:\n    def __init__(self, *args, bias): pass\n")


@pytest.mark.parametrize("operator", OPTIONS)
def test_registered_operators_pass(operator):
    try_operator(operator, 4, 2, 4, True, {})


@pytest.mark.parametrize(
    ("operator", "stride", "options"),
    [
        ("haar_wavelet", 3, {}),
        ("istft_head", 4, {"n_fft": 4}),
        ("nearest", 4, {"kernel_size": 0}),
        ("transposed", 4, {"kernel_size": 2, "padding": 4}),
    ],
)
def test_options_that_do_not_fit_the_stride_are_refused(operator, stride, options):
    with pytest.raises(UserError, match=operator):
        try_operator(operator, 4, 2, stride, True, options)


def test_a_model_whose_size_no_integer_holds_is_refused():
    with pytest.raises(UserError, match="lower its channels, depth or kernel sizes"):
        try_model({"depth": 30, "channels": 1000}, trained=True)


ARCHITECTURE = """
import torch
from torch import nn
from upsampling.models.base import AudioModel

class Net(AudioModel):
    samplerate = 16000
    sources = ("drums", "bass", "other", "vocals")
    audio_channels = 2

    def __init__(self, upsampler):
        super().__init__()
        self.encoder = nn.Conv1d(self.audio_channels, 4, 8, 4, padding=2)
        self.outer = upsampler(4, len(self.sources) * self.audio_channels, 4)

    def forward(self, waveform):
        output = self.outer(self.encoder(waveform))
        return output.unflatten(1, (len(self.sources), self.audio_channels))

    def find_upsamplers(self):
        return [(self.outer, 4, 4)]

    def input_length(self, samples):
        return -(-samples // 4) * 4
"""
ARCHITECTURES = {
    "works": (None, "pass"),
    "a part of the samples": (
        r"gave \[1, 4, 2, \d+\], expected \[1, 4, 2, 1001\] or longer; see input_length",
        "def input_length(self, samples): return min(-(-samples // 4) * 4, 990)",
    ),
    "other sources": (
        "has the sources a, b and audio_channels 2; .*drums, .* and 2; .*`train: false`",
        'sources = ("a", "b")',
    ),
    "mono": ("vocals and audio_channels 1; ", "audio_channels = 1"),
    "not finite at some lengths": (
        "gives values that are not finite",
        "def process(self, waveforms):"
        " return super().process(waveforms) / (waveforms.shape[-1] < 4096)",
    ),
    "raises when it learns": (
        "RuntimeError: no learning",
        "def train(self, mode=True):\n"
        "    super().train(mode)\n"
        "    if mode: self.forward = self.fail\n"
        "    return self\n"
        "def fail(self, waveform): raise RuntimeError('no learning')",
    ),
}


@pytest.mark.parametrize(("reason", "body"), ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_architectures_work_to_the_end_or_are_refused(tmp_path, reason, body):
    path = tmp_path / "net.py"
    path.write_text(ARCHITECTURE + textwrap.indent(body, "    "))
    model = {"architecture": f"{path}:Net", "operator": "transposed"}
    with pytest.raises(UserError, match=reason) if reason else contextlib.nullcontext():
        try_model(model, trained=True)
