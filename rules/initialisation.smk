# Models of the paper's width take 6 GB in double precision, and 3 GB more while they are read.
MEASURE_MB = 12000 if EXPERIMENT.scale == "paper" else 3000
PROBE_ARRAYS = "<results>/probes/{variant}/seed{seed}/{signal}_{stage}.npz"
PROBE_AUDIO = "<results>/audio/{variant}/seed{seed}/{signal}_{kind}.wav"
PROBE_MEASURES = "<results>/probes/{variant}/seed{seed}/measures.csv"


rule render_initialised:
    """Process white noise with one variant's random model at paper width (Figs. 1 and 9)."""
    output:
        arrays="<results>/initialisation/{variant}.npz",
        parameters="<results>/initialisation/{variant}.json",
        audio=expand(
            "<results>/audio/initialisation/{variant}_{kind}.wav",
            kind=["input", "output"],
            allow_missing=True,
        ),
    log:
        "<logs>/render_initialised/{variant}.log",
    benchmark:
        "<benchmarks>/render_initialised/{variant}.tsv"
    group:
        "initialised"
    conda:
        ENVIRONMENT
    # One model of 750 million parameters and its activations on 6 s: 3.9 GB measured.
    resources:
        mem_mb=6000,
    params:
        code=code("render_initialised.py"),
        own=lambda wildcards: EXPERIMENT.initialisation(wildcards.variant),
        audio=located("<results>/audio/initialisation/{variant}_{kind}.wav"),
    shell:
        shown(
            'python "$SCRIPTS"/render_initialised.py'
            " --model-settings {params.own[model]:q}"
            " --paper-model-settings {params.own[paper_model]:q}"
            " --seed {params.own[seed]}"
            " --signal {params.own[signal]}"
            " --seconds {params.own[seconds]}"
            " --output {output.arrays:q}"
            " --audio {params.audio:q}"
            " --parameters {output.parameters:q}"
        )


rule measure_untrained:
    """Measure a variant that is not trained here: its model as for training, one per seed."""
    output:
        arrays=per_signal(per_seed(PROBE_ARRAYS), stage=["initialised"]),
        audio=per_signal(per_seed(PROBE_AUDIO), kind=["input", "initialised"]),
        measures=per_seed(PROBE_MEASURES),
    log:
        "<logs>/measure_untrained/{variant}.log",
    wildcard_constraints:
        variant=one_of(set(EXPERIMENT.untrained) - set(EXPERIMENT.weights)),
    group:
        "untrained"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=MEASURE_MB,
    params:
        code=code("measure_untrained.py"),
        model=lambda wildcards: EXPERIMENT.model(wildcards.variant),
        seeds=EXPERIMENT.seeds,
        probes=EXPERIMENT.probes,
        arrays=located(PROBE_ARRAYS),
        audio=located(PROBE_AUDIO),
        measures=located(PROBE_MEASURES),
    shell:
        shown(
            'python "$SCRIPTS"/measure_untrained.py'
            " --variant {wildcards.variant}"
            " --model-settings {params.model:q}"
            " --seeds {params.seeds}"
            " --probes {params.probes:q}"
            " --arrays {params.arrays:q}"
            " --audio {params.audio:q}"
            " --measures {params.measures:q}"
        )


# A plan would compare its many outputs with each probe file of another rule.
if EXPERIMENT.weights:

    use rule measure_untrained as measure_own_weights with:
        input:
            weights=lambda wildcards: EXPERIMENT.weights[wildcards.variant],
        output:
            arrays=per_signal(per_seed(PROBE_ARRAYS), stage=["initialised", "trained"]),
            audio=per_signal(
                per_seed(PROBE_AUDIO), kind=["input", "initialised", "trained"]
            ),
            measures=per_seed(PROBE_MEASURES),
        log:
            "<logs>/measure_own_weights/{variant}.log",
        wildcard_constraints:
            variant=one_of(EXPERIMENT.weights),


rule init_statistics:
    """Measure many random initialisations of one variant's narrow model."""
    output:
        measures="<results>/init_statistics/{variant}.csv",
    log:
        "<logs>/init_statistics/{variant}.log",
    benchmark:
        "<benchmarks>/init_statistics/{variant}.tsv"
    group:
        "untrained"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
    params:
        code=code("init_statistics.py"),
        own=lambda wildcards: EXPERIMENT.init_statistics(wildcards.variant),
    shell:
        shown(
            'python "$SCRIPTS"/init_statistics.py'
            " --variant {wildcards.variant}"
            " --model-settings {params.own[model]:q}"
            " --statistics {params.own[statistics]:q}"
            " --output {output.measures:q}"
        )
