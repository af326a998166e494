# Memory of the program and its model, and of each track that is scored at once, whatever its length.
# A demo model took 350 MB with one track of ten minutes; at paper width, weights alone are 2.8 GB.
SCORE_MB = (5000, 2500) if EXPERIMENT.scale == "paper" else (700, 500)


rule score:
    """Separate all test tracks with one trained model and score them with BSSEval v4."""
    input:
        model=rules.train.output.best,
        spec=rules.train.output.spec,
        manifest=rules.prepare_tracks.output.manifest,
    output:
        scores="<results>/scores/{variant}/seed{seed}.csv",
    log:
        "<logs>/score/{variant}_seed{seed}.log",
    benchmark:
        "<benchmarks>/score/{variant}_seed{seed}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=lambda wildcards, threads: SCORE_MB[0] + SCORE_MB[1] * threads,
    params:
        code=code("score.py"),
        evaluation=EXPERIMENT.scoring,
        model=lambda wildcards, input: str(Path(input.model).parent),
        store=lambda wildcards, input: str(Path(input.manifest).parent),
        scores=located("<results>/scores/{variant}/seed{seed}"),
        audio=located("<results>/audio/{variant}/seed{seed}"),
    shell:
        shown(
            'python "$SCRIPTS"/score.py'
            " --model {params.model:q}"
            " --store {params.store:q}"
            " --evaluation {params.evaluation:q}"
            " --workers {threads}"
            " --scores {params.scores:q}"
            " --audio {params.audio:q}"
            " --output {output.scores:q}"
        )


rule measure_artifacts:
    """Measure the weights and the outputs of one run's model, before and after training."""
    input:
        model=rules.train.output.best,
        spec=rules.train.output.spec,
    output:
        arrays=per_signal(PROBE_ARRAYS, stage=["initialised", "trained"]),
        audio=per_signal(PROBE_AUDIO, kind=["input", "initialised", "trained"]),
        measures=PROBE_MEASURES,
    log:
        "<logs>/measure_artifacts/{variant}_seed{seed}.log",
    wildcard_constraints:
        variant=one_of(EXPERIMENT.scored),
    group:
        "trained"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=MEASURE_MB,
    params:
        code=code("measure_artifacts.py"),
        model=lambda wildcards, input: str(Path(input.model).parent),
        probes=EXPERIMENT.probes,
        arrays=located(PROBE_ARRAYS),
        audio=located(PROBE_AUDIO),
    shell:
        shown(
            'python "$SCRIPTS"/measure_artifacts.py'
            " --model {params.model:q}"
            " --variant {wildcards.variant}"
            " --seed {wildcards.seed}"
            " --probes {params.probes:q}"
            " --arrays {params.arrays:q}"
            " --audio {params.audio:q}"
            " --measures {output.measures:q}"
        )
