"""The repair of a model that this pipeline trained, as a model of its own beside it."""

from pathlib import Path
from typing import Any

from upsampling.audit.audit import AuditSettings, audit, respond_to_constants
from upsampling.audit.repairing import repair_network
from upsampling.config.audits import Aim
from upsampling.errors import UserError
from upsampling.files import read_json, write_json
from upsampling.networks.loading import Source, open_network
from upsampling.networks.network import NetworkError
from upsampling.networks.torch_network import TorchNetwork
from upsampling.training import checkpoint_file


def repair_trained(folder: Path, aim: Aim, output: Path) -> dict[str, Any]:
    """Repair the best weights of the trained model in `folder`; returns the report on the repair.

    `output` gets `best.safetensors`, `spec.json` (that of the trained model and the aim) and
    `repair.json` (the report, as the part `repair` of an audit's). Raises `UserError` for a model
    without a layer to repair.
    """
    network, structure, _ = open_network(Source(str(folder)))
    assert isinstance(network, TorchNetwork)
    try:
        responses = respond_to_constants(network, structure)
        settings = AuditSettings(probe=False)
        report = audit(network, structure, responses, settings=settings)
        repaired = repair_network(network, structure, report, aim, [], None)
    except NetworkError as error:
        raise UserError(f"{folder}: {error}") from error
    weights = network.module.state_dict()
    tensors = {name: tensor.to(network.stored[name]) for name, tensor in weights.items()}
    spec = read_json(folder / "spec.json") | {"repair": aim}
    checkpoint_file.save(output / "best.safetensors", tensors, spec)
    write_json(output / "spec.json", spec)
    write_json(output / "repair.json", repaired)
    return repaired
