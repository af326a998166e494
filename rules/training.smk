rule train:
    """Train one variant with one seed; an interrupted job continues from its checkpoints.

    Its params have no fingerprint of the code: raise training.revision in config.yaml when a change
    of the code calls for retraining.
    """
    input:
        manifest=rules.prepare_tracks.output.manifest,
    output:
        best="<results>/models/{variant}/seed{seed}/best.safetensors",
        last="<results>/models/{variant}/seed{seed}/last.safetensors",
        spec="<results>/models/{variant}/seed{seed}/spec.json",
        history="<results>/models/{variant}/seed{seed}/history.csv",
        timing="<results>/models/{variant}/seed{seed}/timing.csv",
        artifacts="<results>/models/{variant}/seed{seed}/artifact_history.csv",
    log:
        "<logs>/train/{variant}_seed{seed}.log",
    benchmark:
        "<benchmarks>/train/{variant}_seed{seed}.tsv"
    wildcard_constraints:
        variant=one_of(EXPERIMENT.trained),
    conda:
        ENVIRONMENT
    threads: 1
    # Compute settings: changing them does not retrain.
    resources:
        mem_mb=3000,
        # In minutes; 0 sets no limit. Training stops itself before it and exits non-zero.
        runtime=0,
        # Processes that share each batch, on each node; 0: one per GPU, or one without a GPU.
        processes=1,
        # Nodes that share a run; more than one need SLURM (profiles/README.md).
        nodes=1,
        # Examples of its share that a process takes at once, to save memory; 0: all.
        micro_batch=0,
        # 1: a run that stopped in time gives its SLURM job back to the queue.
        requeue=0,
        # Epochs between measurements of artifacts, of the configuration's training.artifact_epochs.
        artifact_epochs=lambda wildcards: EXPERIMENT.training_settings(
            wildcards.variant
        ).artifact_epochs,
    params:
        model=lambda wildcards: EXPERIMENT.model(wildcards.variant),
        training=lambda wildcards: EXPERIMENT.training(wildcards.variant),
        store=lambda wildcards, input: str(Path(input.manifest).parent),
        folder=folder("best"),
        # Not an output: Snakemake deletes the outputs of a job that was interrupted.
        checkpoints=located("<results>/checkpoints/{variant}/seed{seed}"),
        # For `tensorboard --logdir`; no output either, since its files carry the time of day.
        events=located("<logs>/tensorboard/{variant}/seed{seed}"),
    shell:
        "mkdir -p {params.checkpoints:q};"
        ' python "$SCRIPTS"/train.py'
        " --name {wildcards.variant}/seed{wildcards.seed}"
        " --model-settings {params.model:q}"
        " --training {params.training:q}"
        " --seed {wildcards.seed}"
        " --store {params.store:q}"
        " --checkpoints {params.checkpoints:q}"
        " --output {params.folder:q}"
        " --events {params.events:q}"
        " --processes {resources.processes}"
        " --nodes {resources.nodes}"
        " --micro-batch {resources.micro_batch}"
        " --artifact-epochs {resources.artifact_epochs}"
        " --max-minutes {resources.runtime}"
        # Snakemake empties a job's log; messages.log keeps those of all of a run's jobs.
        " --requeue {resources.requeue} 2>&1"
        " | (tee --append {log:q} {params.checkpoints:q}/messages.log || true)"


rule repair:
    """Repair the best weights of another variant's run, as a model of this variant."""
    input:
        model=trained_original("best.safetensors"),
        spec=trained_original("spec.json"),
    output:
        best="<results>/models/{variant}/seed{seed}/best.safetensors",
        spec="<results>/models/{variant}/seed{seed}/spec.json",
        report="<results>/models/{variant}/seed{seed}/repair.json",
    log:
        "<logs>/repair/{variant}_seed{seed}.log",
    wildcard_constraints:
        variant=one_of(EXPERIMENT.repaired),
    conda:
        ENVIRONMENT
    # The model in double precision, its weights as they are written, and copies of some.
    resources:
        mem_mb=16000 if EXPERIMENT.scale == "paper" else 3000,
    params:
        code=code("repair.py"),
        aim=lambda wildcards: EXPERIMENT.repaired[wildcards.variant].aim,
        model=lambda wildcards, input: str(Path(input.model).parent),
        folder=folder("best"),
    shell:
        shown(
            'python "$SCRIPTS"/repair.py'
            " --model {params.model:q}"
            " --for {params.aim}"
            " --output {params.folder:q}"
        )
