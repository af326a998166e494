"""The configuration files of the daemons of a cluster on one machine."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

GPU_NODES = [f"gpu{number}" for number in range(1, 5)]
NODES = ["cpu1", *GPU_NODES]
GPUS = 4
FILES = ("slurm.conf", "gres.conf", "slurmdbd.conf")
PORT = 26500
DATABASE = (
    "create database accounting; create user slurm@'127.0.0.1' identified by 'slurm';"
    "grant all on accounting.* to slurm@'127.0.0.1';"
)
ACCOUNTS = (
    ("add", "cluster", "test"),
    ("add", "account", "project", "Description=tests", "Organization=tests"),
    ("add", "user", "root", "Account=project", "DefaultAccount=project"),
)

# More CPUs and memory than there are (config_overrides), no cgroups, no affinity. A job that is
# queued again waits for its credential to expire: 10 s in place of two minutes.
SLURM = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/run/munge.socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
GresTypes=gpu
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=10
ReturnToService=2
MinJobAge=600
SlurmdTimeout=60
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd_port}
AccountingStoragePass={folder}/run/munge.socket
AccountingStorageTRES=gres/gpu,gres/gpu:v100
AccountingStoreFlags=job_comment
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
{nodes}
PartitionName=cpu Nodes=cpu1 Default=YES MaxTime=UNLIMITED DefaultTime=60 State=UP
PartitionName=gpu Nodes=gpu[1-4] PriorityTier=1 MaxTime=UNLIMITED DefaultTime=60 State=UP
PartitionName=urgent Nodes=gpu[1-4] PriorityTier=9 MaxTime=UNLIMITED DefaultTime=60 State=UP
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} "
    "CPUs=32 RealMemory=400000 State=UNKNOWN{gres}"
)
DBD = """\
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd_port}
SlurmUser=root
LogFile={folder}/log/slurmdbd.log
PidFile={folder}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=accounting
"""


def files(folder: Path, host: str, devices: str) -> Iterator[tuple[str, str]]:
    """Name and text of each configuration file."""
    names = {
        "folder": folder,
        "host": host,
        "port": PORT,
        "dbd_port": PORT + 1,
        "sql_port": PORT + 2,
    }
    nodes = []
    for number, name in enumerate(NODES):
        gres = f" Gres=gpu:v100:{GPUS} Feature=v100" if name in GPU_NODES else ""
        nodes.append(NODE.format(name=name, host=host, port=PORT + 10 + number, gres=gres))
    yield "slurm.conf", SLURM.format(nodes="\n".join(nodes), **names)
    gres = f"NodeName=gpu[1-4] Name=gpu Type=v100 Count={GPUS} File={devices}\n"
    yield "gres.conf", gres
    yield "slurmdbd.conf", DBD.format(**names)


def make_devices(folder: Path) -> str:
    """Device files that stand for GPUs, since SLURM counts nothing else; as gres.conf names them.

    They are like /dev/null. Where none can be made, devices that exist stand in.
    """
    try:
        for number in range(GPUS):
            os.mknod(folder / f"nvidia{number}", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except OSError:
        return "/dev/null,/dev/zero,/dev/full,/dev/random"
    return f"{folder}/nvidia[0-{GPUS - 1}]"


def munged(folder: Path) -> list[str]:
    """The command of the daemon that signs messages between all others."""
    return [
        *("munged", "--foreground", "--force"),
        f"--key-file={folder}/etc/munge.key",
        f"--socket={folder}/run/munge.socket",
        f"--pid-file={folder}/run/munged.pid",
        f"--log-file={folder}/log/munged.log",
        f"--seed-file={folder}/run/munge.seed",
    ]


def install_database(folder: Path) -> list[str]:
    """The command that makes an empty data base."""
    return [
        *("mariadb-install-db", "--no-defaults", "--user=root", "--skip-test-db"),
        f"--datadir={folder}/mysql",
        "--auth-root-authentication-method=normal",
    ]


def mariadbd(folder: Path) -> list[str]:
    """The command of the database's daemon, without protection against power failures."""
    return [
        *("mariadbd", "--no-defaults", "--user=root", "--skip-log-bin", "--skip-name-resolve"),
        f"--datadir={folder}/mysql",
        f"--socket={folder}/run/mysql.sock",
        f"--pid-file={folder}/run/mariadbd.pid",
        "--bind-address=127.0.0.1",
        f"--port={PORT + 2}",
        "--innodb-buffer-pool-size=128M",
        "--innodb-log-file-size=64M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-lock-wait-timeout=900",
    ]
