"""Starting the processes of a run, and the rank of each.

`python scripts/train.py --processes N` (0: one per GPU) starts them on this host through torch's
elastic launcher; with `--nodes M`, in a SLURM job, srun starts N on each of its M nodes. They can
also be started by `torchrun --standalone --nproc-per-node N scripts/train.py` or
`srun --kill-on-bad-exit=1 python scripts/train.py`.
"""

import os
import socket
import subprocess
import sys

import torch

from upsampling import slurm
from upsampling.errors import UserError
from upsampling.training.signals import EXIT_STATUS


def launch(processes: int, nodes: int = 1, name: str = "train") -> None:
    """Run this program in `processes` processes (0: one per GPU, or one) and exit as they do.

    With several `nodes`, in that many on each node of this SLURM job; `name` is that of the job
    step. Returns at once if one process is enough, and in processes that a launcher started.
    """
    processes = processes or max(1, torch.cuda.device_count())
    if processes * nodes == 1 or is_launched():
        return
    if nodes > 1:
        sys.exit(run_on_nodes(processes, nodes, name))
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        run_id="training",
        signals_to_handle="SIGTERM,SIGINT,SIGUSR1",
    )
    share_threads(processes)
    try:
        elastic_launch(config, sys.executable)(*sys.argv)
    except ChildFailedError as error:
        sys.exit(error.get_first_failure()[1].exitcode)
    except SignalException:
        sys.exit(EXIT_STATUS)
    sys.exit(0)


def run_on_nodes(processes: int, nodes: int, name: str) -> int:
    """Run this program in `processes` processes on each of `nodes`; return the exit status.

    The processes meet at a free port of this host, the job's first node, so several such jobs can
    share a node.
    """
    cpus = slurm.cpus()
    if cpus is None:
        raise UserError(f"--nodes {nodes} needs a SLURM job, and there is none; give --nodes 1")
    with socket.socket() as listener:
        listener.bind(("", 0))
        os.environ["MASTER_PORT"] = str(listener.getsockname()[1])
    share_threads(processes)
    command = [
        "srun",
        f"--job-name={name}",
        f"--nodes={nodes}",
        f"--ntasks={nodes * processes}",
        f"--ntasks-per-node={processes}",
        f"--cpus-per-task={max(1, cpus // (nodes * processes))}",
        "--kill-on-bad-exit=1",
        sys.executable,
        *sys.argv,
    ]
    return subprocess.run(command).returncode


def share_threads(processes: int) -> None:
    """Divide this process's OMP_NUM_THREADS among `processes` that it will start."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(allowed) // processes if allowed.isdecimal() else 1
    os.environ["OMP_NUM_THREADS"] = str(max(1, threads))


def is_launched() -> bool:
    """True if torchrun, srun or `launch` started this process as one of several."""
    return "RANK" in os.environ or rank_and_world_size()[1] > 1


def rank_and_world_size() -> tuple[int, int, int]:
    """This process's rank, the number of processes, and its rank on this host.

    Read from the environment: torchrun's variables, else srun's. For the latter, MASTER_ADDR and
    MASTER_PORT are set to the first host and a port chosen by the job ID, unless they are given.
    """
    given = os.environ
    if "RANK" in given and "WORLD_SIZE" in given:
        rank = int(given["RANK"])
        return rank, int(given["WORLD_SIZE"]), int(given.get("LOCAL_RANK", rank))
    # A batch script has SLURM_NTASKS too, but is one process; only a step counts its own tasks.
    tasks = "SLURM_NTASKS" if "MASTER_ADDR" in given else "SLURM_STEP_NUM_TASKS"
    size = int(given.get("SLURM_STEP_NUM_TASKS", given.get(tasks, "1")))
    if size == 1 or "SLURM_PROCID" not in given:
        return 0, 1, 0
    if "MASTER_ADDR" not in given:
        given["MASTER_ADDR"] = first_host(given.get("SLURM_STEP_NODELIST", ""))
    given.setdefault("MASTER_PORT", str(20000 + int(given.get("SLURM_JOB_ID", "0")) % 20000))
    return int(given["SLURM_PROCID"]), size, int(given.get("SLURM_LOCALID", "0"))


def first_host(nodes: str) -> str:
    """The first host of a SLURM list such as gpu[3-4,7]; `UserError` if scontrol fails."""
    try:
        command = ["scontrol", "show", "hostnames", nodes]
        hosts = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return hosts[0]
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise UserError(
            f"srun started several processes on '{nodes}', and scontrol cannot expand that list "
            f"({error}); export MASTER_ADDR and MASTER_PORT"
        ) from error
