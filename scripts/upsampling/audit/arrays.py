"""The waveforms of an audit, for figures and for whoever wants to look closer."""

import numpy as np

from upsampling.audit.audit import AuditSettings, Responses
from upsampling.audit.probing import Features, probes, respond
from upsampling.networks.network import Floats, Network, NetworkError
from upsampling.networks.upsamplers import Structure


def audit_arrays(
    network: Network,
    structure: Structure,
    responses: Responses,
    features: Features | None,
    settings: AuditSettings,
) -> dict[str, Floats]:
    """Arrays by name, in full scale: `silence` [channels, S], one steady period of the response.

    `constants` [count, channels, S] are those of the constants, `sound` [samples] the response to
    the first probe, noise, of the channel where it is loudest; empty if the probe cannot be made.
    """
    try:
        noise = probes(network, structure, features, settings.seconds, settings.seed)[0]
        rows = respond(network, structure, noise.inputs)
    except NetworkError:
        rows = np.zeros((1, 0))
    return {
        "samplerate": np.array(network.samplerate),
        "silence": responses.silence.period,
        "constants": np.stack([one.period for one in responses.constants]),
        "sound": rows[int(np.argmax(np.sum(rows**2, axis=-1)))].astype(np.float32),
    }
