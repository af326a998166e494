rule score:
    """Separate all test tracks with one trained model and score them with BSSEval v4."""
    input:
        model=rules.train.output.best,
        spec=rules.train.output.spec,
        manifest=rules.prepare_tracks.output.manifest,
        script="scripts/score.py",
        package=package(
            "scoring/separation",
            "scoring/bsseval",
            "scoring/projections",
            "scoring/job",
        ),
    output:
        scores=f"{RESULTS}/scores/{{variant}}/seed{{seed}}.csv",
    log:
        f"{LOGS}/score/{{variant}}_seed{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score/{{variant}}_seed{{seed}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=lambda wildcards, threads: 1500 + 1500 * threads,
    params:
        evaluation=EXPERIMENT.scoring,
        model=lambda wildcards, input: str(Path(input.model).parent),
        store=lambda wildcards, input: str(Path(input.manifest).parent),
        folder=f"{RESULTS}/scores/{{variant}}/seed{{seed}}",
        audio=f"{RESULTS}/audio/{{variant}}/seed{{seed}}",
    shell:
        "python {input.script:q}"
        " --model {params.model:q}"
        " --store {params.store:q}"
        " --evaluation {params.evaluation:q}"
        " --workers {threads}"
        " --folder {params.folder:q}"
        " --audio {params.audio:q}"
        " --output {output.scores:q} 2>&1 | tee {log:q}"


# What measures a model: code that a change of makes surveys anew.
SURVEYED = [
    "probes/survey",
    "probes/responses",
    "probes/signals",
    "probes/spectra",
    "probes/artifacts",
    "probes/tonality",
    "probes/layers",
    "probes/shifts",
]
SPREAD = ["probes/distribution", "probes/expectation", "probes/theory"]
# Models of the paper's width take 6 GB in double precision, and 3 GB more while they are read.
SURVEY_MB = 12000 if EXPERIMENT.scale == "paper" else 3000


rule survey:
    """Measure one run's model, before and after training: weights, and responses to the probes."""
    input:
        model=rules.train.output.best,
        spec=rules.train.output.spec,
        script="scripts/survey.py",
        package=package(*SURVEYED),
    output:
        arrays=expand(
            f"{RESULTS}/probes/{{variant}}/seed{{seed}}/{{signal}}_{{stage}}.npz",
            signal=EXPERIMENT.signals,
            stage=STAGES,
            allow_missing=True,
        ),
        audio=expand(
            f"{RESULTS}/audio/{{variant}}/seed{{seed}}/{{signal}}_{{kind}}.wav",
            signal=EXPERIMENT.signals,
            kind=["input", *STAGES],
            allow_missing=True,
        ),
        measures=f"{RESULTS}/probes/{{variant}}/seed{{seed}}/measures.csv",
    log:
        f"{LOGS}/survey/{{variant}}_seed{{seed}}.log",
    wildcard_constraints:
        variant=one_of(EXPERIMENT.trained),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=SURVEY_MB,
    params:
        probes=EXPERIMENT.section("probes"),
        model=lambda wildcards, input: str(Path(input.model).parent),
        audio=f"{RESULTS}/audio/{{variant}}/seed{{seed}}",
    shell:
        "python {input.script:q} trained"
        " --folder {params.model:q}"
        " --variant {wildcards.variant}"
        " --seed {wildcards.seed}"
        " --probe {params.probes:q}"
        " --arrays {output.arrays:q}"
        " --audio {params.audio:q}"
        " --measures {output.measures:q} 2>&1 | tee {log:q}"


rule survey_initialised:
    """Measure a variant that is not trained: its model as for training, and many narrow ones."""
    input:
        script="scripts/survey.py",
        package=package(*SURVEYED, *SPREAD),
    output:
        arrays=expand(
            f"{RESULTS}/probes/{{variant}}/seed{{seed}}/{{signal}}_initialised.npz",
            seed=EXPERIMENT.seeds,
            signal=EXPERIMENT.signals,
            allow_missing=True,
        ),
        audio=expand(
            f"{RESULTS}/audio/{{variant}}/seed{{seed}}/{{signal}}_{{kind}}.wav",
            seed=EXPERIMENT.seeds,
            signal=EXPERIMENT.signals,
            kind=["input", "initialised"],
            allow_missing=True,
        ),
        measures=expand(
            f"{RESULTS}/probes/{{variant}}/seed{{seed}}/measures.csv",
            seed=EXPERIMENT.seeds,
            allow_missing=True,
        ),
        spread=f"{RESULTS}/distribution/{{variant}}.csv",
    log:
        f"{LOGS}/survey_initialised/{{variant}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/survey_initialised/{{variant}}.tsv"
    wildcard_constraints:
        variant=one_of(EXPERIMENT.untrained),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=SURVEY_MB,
    params:
        probes=EXPERIMENT.section("probes"),
        seeds=EXPERIMENT.seeds,
        model=lambda wildcards: EXPERIMENT.model(wildcards.variant),
        narrow=lambda wildcards: EXPERIMENT.distribution(wildcards.variant)["model"],
        distribution=lambda wildcards: EXPERIMENT.distribution(wildcards.variant)[
            "distribution"
        ],
        audio=f"{RESULTS}/audio/{{variant}}",
    shell:
        "python {input.script:q} initialised"
        " --model {params.model:q}"
        " --variant {wildcards.variant}"
        " --seeds {params.seeds}"
        " --probe {params.probes:q}"
        " --arrays {output.arrays:q}"
        " --audio {params.audio:q}"
        " --measures {output.measures:q}"
        " --narrow-model {params.narrow:q}"
        " --distribution {params.distribution:q}"
        " --spread {output.spread:q} 2>&1 | tee {log:q}"


rule measure_distribution:
    """Measure many random initialisations, narrow ones, of a variant that is trained elsewhere."""
    input:
        script="scripts/survey.py",
        package=package(*SURVEYED, *SPREAD),
    output:
        spread=f"{RESULTS}/distribution/{{variant}}.csv",
    log:
        f"{LOGS}/measure_distribution/{{variant}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_distribution/{{variant}}.tsv"
    wildcard_constraints:
        variant=one_of(EXPERIMENT.trained),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
    params:
        model=lambda wildcards: EXPERIMENT.distribution(wildcards.variant)["model"],
        distribution=lambda wildcards: EXPERIMENT.distribution(wildcards.variant)[
            "distribution"
        ],
    shell:
        "python {input.script:q} distribution"
        " --variant {wildcards.variant}"
        " --narrow-model {params.model:q}"
        " --distribution {params.distribution:q}"
        " --spread {output.spread:q} 2>&1 | tee {log:q}"
