"""Train one variant with one seed; resumes from its checkpoints after any interruption.

    python scripts/train.py --name nearest/seed0 --seed 0 --store data/demo/store \\
        --model-settings '{"operator": "nearest", "channels": 8, "depth": 4}' \\
        --checkpoints checkpoints/nearest --output models/nearest \\
        --training '{"epochs": 1, "batch_size": 2, "segment_seconds": 1, "examples_per_epoch": 8}'

Exit status 75: the run stopped early, on a signal or before its time limit or the end of its SLURM
job; start it again to resume. --processes and --nodes share the work among several processes, and
so do torchrun and srun.
"""

import argparse
import math
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from upsampling import slurm
from upsampling.arguments import add_settings, json_or_file, parser
from upsampling.config.declared import read_settings
from upsampling.config.model import model_settings
from upsampling.config.training import TrainingSettings
from upsampling.errors import command_line


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--name", required=True, help="name of the run in messages")
    options.add_argument("--model-settings", type=json_or_file, required=True, help="JSON or file")
    add_settings(options, "--training", TrainingSettings, "the section training of config.yaml")
    options.add_argument("--seed", type=int, required=True)
    options.add_argument("--store", type=Path, required=True, help="folder of the prepared tracks")
    options.add_argument("--checkpoints", type=Path, required=True, help="folder of its own")
    options.add_argument("--output", type=Path, required=True, help="folder of the trained model")
    limit = options.add_mutually_exclusive_group()
    limit.add_argument("--max-minutes", type=float, default=0, help="0: no limit")
    limit.add_argument("--max-hours", type=float, default=0, help="the same, in hours")
    options.add_argument("--processes", type=int, default=1, help="per node; 0: one per GPU")
    options.add_argument("--nodes", type=int, default=1, help="of the SLURM job that share the run")
    options.add_argument("--requeue", type=int, default=0, help="1: requeue the SLURM job, not 75")
    options.add_argument("--micro-batch", type=int, default=0, help="examples at once; 0: all")
    options.add_argument(
        "--artifact-epochs", type=int, help="in place of training.artifact_epochs (see config.yaml)"
    )
    options.add_argument("--events", type=Path, help="folder for TensorBoard; default: none")
    arguments = options.parse_args()

    from upsampling.training.launch import is_launched
    from upsampling.training.signals import EXIT_STATUS

    requeue = slurm.requeue_on_exit(EXIT_STATUS, arguments.checkpoints, "epoch*.safetensors")
    with requeue if arguments.requeue and not is_launched() else nullcontext():
        train(arguments)


def train(arguments: argparse.Namespace) -> None:
    """Start the run's other processes, or be one of them."""
    from upsampling.tracks.store import TrackStore
    from upsampling.training import distributed, loop
    from upsampling.training.identity import Run
    from upsampling.training.launch import launch

    training = arguments.training
    if arguments.artifact_epochs is not None:
        values = asdict(training) | {"artifact_epochs": arguments.artifact_epochs}
        training = read_settings(TrainingSettings, values, "training")
    limit = arguments.max_minutes or 60 * arguments.max_hours
    launch(arguments.processes, arguments.nodes, arguments.name.replace("/", "_"))
    run = Run(
        model=model_settings(arguments.model_settings, f"{arguments.name}: --model-settings"),
        training=training,
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
    command_line(main)
