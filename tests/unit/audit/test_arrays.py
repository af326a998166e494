"""The waveforms that an audit stores are those that its report measures."""

import numpy as np
import pytest
import torch
from audit_results import audit_network, content
from audited_networks import seeded, under_audit

from upsampling.audit.arrays import audit_arrays
from upsampling.audit.audit import AuditSettings, respond_to_constants

# Sums of squares in double precision, in dB.
ROUNDING_DB = 1e-6


def lines_level(period: np.ndarray) -> float:
    """Level in dBFS of all that varies in one period [channels, samples]."""
    return 10 * np.log10(np.var(period, axis=-1).max())


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    repair = ["--repair", str(folder / "repaired.safetensors")]
    report, arrays = audit_network(folder, *repair)
    with np.load(arrays, allow_pickle=False) as stored:
        return content(report), dict(stored)


def test_periods_have_the_levels_of_the_report(audited):
    report, arrays = audited
    assert arrays["silence"].shape == (1, 20)
    silence = report["silence"]["level_dbfs"]
    assert lines_level(arrays["silence"]) == pytest.approx(silence, abs=ROUNDING_DB)
    levels = [lines_level(one) for one in arrays["constants"]]
    assert len(levels) == 12
    spread = report["constants"]["level_dbfs"]
    assert np.median(levels) == pytest.approx(spread["median"], abs=ROUNDING_DB)
    assert max(levels) == pytest.approx(spread["maximum"], abs=ROUNDING_DB)


def test_the_sound_is_the_response_to_noise(audited):
    report, arrays = audited
    level = 10 * np.log10(np.mean(arrays["sound"].astype(float) ** 2))
    noise = report["probes"]["latent_noise"]["level_dbfs"]
    # The stored samples are single precision.
    assert level == pytest.approx(noise, abs=1e-4)
    assert (arrays["samplerate"], arrays["sound"].dtype) == (24000, np.float32)
    assert [layer["operation"] for layer in report["layers"]] == ["conv_transpose1d"] * 2


def test_without_a_probe_there_is_no_sound():
    class Choosy(torch.nn.Module):
        """Takes constants alone."""

        def __init__(self):
            super().__init__()
            self.up = torch.nn.ConvTranspose1d(2, 1, 8, 4)

        def forward(self, signal):
            return self.up(signal / (signal == signal[..., :1]).all())

    network, structure = under_audit(seeded(Choosy), 2)
    responses = respond_to_constants(network, structure)
    arrays = audit_arrays(network, structure, responses, None, AuditSettings())
    assert arrays["sound"].shape == (0,)


def test_a_repair_adds_the_repaired_waveforms(audited):
    report, arrays = audited
    rows = {row["text"]: row["after"] for row in report["repair"]["rows"]}
    after = [lines_level(one) for one in arrays["constants_repaired"]]
    expected = rows["level for constants, median (dBFS)"]
    assert np.median(after) == pytest.approx(expected, abs=ROUNDING_DB)
    assert np.std(arrays["silence_repaired"]) < 1e-6 * np.std(arrays["silence"])
    assert arrays["sound_repaired"].shape == arrays["sound"].shape
