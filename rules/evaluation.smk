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


rule survey:
    """Feed the probe signals to one run's model, before and after training, and measure."""
    input:
        model=rules.train.output.best,
        spec=rules.train.output.spec,
        script="scripts/probe.py",
        package=package(
            "probes/survey", "probes/responses", "probes/signals", "probes/artifacts"
        ),
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
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
    params:
        probes=EXPERIMENT.section("probes"),
        model=lambda wildcards, input: str(Path(input.model).parent),
        audio=f"{RESULTS}/audio/{{variant}}/seed{{seed}}",
    shell:
        "python {input.script:q} survey"
        " --folder {params.model:q}"
        " --variant {wildcards.variant}"
        " --seed {wildcards.seed}"
        " --probe {params.probes:q}"
        " --arrays {output.arrays:q}"
        " --audio {params.audio:q}"
        " --measures {output.measures:q} 2>&1 | tee {log:q}"
