"""Train one variant with one seed; resumes from its checkpoints after any interruption.

Exit status 75: it stopped in time, on a signal or before its time limit or the end of its SLURM
job; start it again to continue. Several processes share the work if --processes and --nodes say so,
or if torchrun or srun starts them.
"""

import argparse
import json
import math
from pathlib import Path

from upsampling import settings
from upsampling.settings import DemucsLikeSettings, TrainingSettings, UserError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="what progress and messages call this run")
    parser.add_argument("--model", required=True, type=json.loads, help="model settings, JSON")
    parser.add_argument("--training", required=True, type=json.loads, help="settings, JSON")
    parser.add_argument("--seed", required=True, type=int)
    parser.add_argument("--store", required=True, type=Path, help="folder of the track store")
    parser.add_argument("--checkpoints", required=True, type=Path, help="folder of its own")
    parser.add_argument("--output", required=True, type=Path, help="folder of the trained model")
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--max-minutes", type=float, default=0, help="0: no limit")
    limit.add_argument("--max-hours", type=float, default=0, help="the same, in hours")
    parser.add_argument("--processes", type=int, default=1, help="on each node; 0: one per GPU")
    parser.add_argument("--nodes", type=int, default=1, help="of the SLURM job; they share the run")
    parser.add_argument("--requeue", type=int, default=0, help="1: the SLURM job, not 75")
    parser.add_argument("--micro-batch", type=int, default=0, help="examples at once; 0: all")
    parser.add_argument("--events", type=Path, help="folder for TensorBoard; default: none")
    arguments = parser.parse_args()

    from upsampling import slurm
    from upsampling.training import distributed
    from upsampling.training.stopping import EXIT_STATUS

    if arguments.requeue and not distributed.is_launched():
        with slurm.queued_again(EXIT_STATUS, arguments.checkpoints, "epoch*.safetensors"):
            train(arguments)
    else:
        train(arguments)


def train(arguments: argparse.Namespace) -> None:
    """Start the run's other processes, or be one of them."""
    from upsampling import slurm
    from upsampling.tracks.store import TrackStore
    from upsampling.training import distributed, loop
    from upsampling.training.run import Run

    limit = arguments.max_minutes or 60 * arguments.max_hours
    distributed.launch(arguments.processes, arguments.nodes, arguments.name.replace("/", "_"))
    model = settings.model_settings(arguments.model, f"{arguments.name}: model")
    if not isinstance(model, DemucsLikeSettings):
        raise UserError(f"{arguments.name}: a {model.architecture} model cannot be trained here")
    where = f"{arguments.name}: training"
    run = Run(
        model=model,
        training=settings.from_mapping(TrainingSettings, arguments.training, where),
        seed=arguments.seed,
        store=TrackStore.open(arguments.store),
        checkpoints=arguments.checkpoints,
        name=arguments.name,
        max_minutes=min(limit or math.inf, slurm.minutes_left()),
        micro_batch=arguments.micro_batch,
        events=arguments.events,
    )
    with distributed.group() as group:
        loop.train(run, group, arguments.output)


if __name__ == "__main__":
    settings.run(main)
