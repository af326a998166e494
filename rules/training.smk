rule train:
    """Train one variant with one seed; an interrupted job continues from its checkpoints."""
    input:
        manifest=rules.prepare_tracks.output.manifest,
        script=ancient("scripts/train.py"),
    output:
        best=f"{RESULTS}/models/{{variant}}/seed{{seed}}/best.safetensors",
        last=f"{RESULTS}/models/{{variant}}/seed{{seed}}/last.safetensors",
        spec=f"{RESULTS}/models/{{variant}}/seed{{seed}}/spec.json",
        history=f"{RESULTS}/models/{{variant}}/seed{{seed}}/history.csv",
        timing=f"{RESULTS}/models/{{variant}}/seed{{seed}}/timing.csv",
    log:
        f"{LOGS}/train/{{variant}}_seed{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{variant}}_seed{{seed}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    # None of these is a setting of the experiment: changing them trains nothing anew.
    resources:
        mem_mb=3000,
        # In minutes; 0 sets no limit. Training stops itself before it and exits non-zero.
        runtime=0,
        # How many processes share each batch, on each node; 0: one per GPU, or one without a GPU.
        processes=1,
        # How many nodes share a run; more than one need SLURM (profiles/README.md).
        nodes=1,
        # How many examples of its share a process takes at once, to save memory; 0: all.
        micro_batch=0,
        # 1: a run that stopped in time gives its SLURM job back to the queue.
        requeue=0,
    params:
        model=lambda wildcards: EXPERIMENT.model(wildcards.variant),
        training=lambda wildcards: EXPERIMENT.training(wildcards.variant),
        store=lambda wildcards, input: str(Path(input.manifest).parent),
        folder=folder("best"),
        # Not an output: Snakemake deletes the outputs of a job that was interrupted.
        checkpoints=f"{RESULTS}/checkpoints/{{variant}}/seed{{seed}}",
        # For `tensorboard --logdir`; nor is this one, since its files carry the time of day.
        events=f"{LOGS}/tensorboard/{{variant}}/seed{{seed}}",
    shell:
        "mkdir -p {params.checkpoints:q};"
        " python {input.script:q}"
        " --name {wildcards.variant}/seed{wildcards.seed}"
        " --model {params.model:q}"
        " --training {params.training:q}"
        " --seed {wildcards.seed}"
        " --store {params.store:q}"
        " --checkpoints {params.checkpoints:q}"
        " --output {params.folder:q}"
        " --events {params.events:q}"
        " --processes {resources.processes}"
        " --nodes {resources.nodes}"
        " --micro-batch {resources.micro_batch}"
        " --max-minutes {resources.runtime}"
        # Snakemake empties a job's log; beside the checkpoints, those of all of a run's jobs are kept.
        " --requeue {resources.requeue} 2>&1"
        " | tee --append {log:q} {params.checkpoints:q}/messages.log"
