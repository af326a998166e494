rule probe_initialised:
    """Feed white noise to one variant's random model at paper width (Figs. 1 and 9)."""
    input:
        script="scripts/probe.py",
        package=package("operators", "models", "probes/responses", "probes/signals"),
    output:
        arrays=f"{RESULTS}/initialisation/{{variant}}.npz",
        parameters=f"{RESULTS}/initialisation/{{variant}}.json",
        audio=expand(
            f"{RESULTS}/audio/initialisation/{{variant}}_{{kind}}.wav",
            kind=["input", "output"],
            allow_missing=True,
        ),
    log:
        f"{LOGS}/probe_initialised/{{variant}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/probe_initialised/{{variant}}.tsv"
    conda:
        ENVIRONMENT
    # One model of 750 million parameters and its activations on 6 s: 3.9 GB measured.
    resources:
        mem_mb=6000,
    params:
        model=lambda wildcards: EXPERIMENT.initialisation(wildcards.variant)["model"],
        paper_model=lambda wildcards: EXPERIMENT.initialisation(wildcards.variant)[
            "paper_model"
        ],
        probe=lambda wildcards: EXPERIMENT.initialisation(wildcards.variant)["probe"],
        seed=lambda wildcards: EXPERIMENT.initialisation(wildcards.variant)["seed"],
        audio=lambda wildcards, output: output.audio[0].removesuffix("_input.wav"),
    shell:
        "python {input.script:q} initialised"
        " --model {params.model:q}"
        " --paper-model {params.paper_model:q}"
        " --seed {params.seed}"
        " --probe {params.probe:q}"
        " --output {output.arrays:q}"
        " --audio {params.audio:q}"
        " --parameters {output.parameters:q} 2>&1 | tee {log:q}"


rule probe_stack:
    """Pass a signal through three upsampling layers (one column of Figs. 6, 7, 8)."""
    input:
        script="scripts/probe.py",
        package=package(
            "operators",
            "models",
            "probes/responses",
            "probes/signals",
            "probes/prediction",
            "probes/spectra",
            "probes/taps",
            "probes/theory",
        ),
    output:
        arrays=f"{RESULTS}/stacks/{{figure}}_{{side}}.npz",
        theory=f"{RESULTS}/stacks/{{figure}}_{{side}}_theory.npz",
        audio=expand(
            f"{RESULTS}/audio/stacks/{{figure}}_{{side}}_{{layer}}.wav",
            layer=["signal", "layer_1", "layer_2", "layer_3"],
            allow_missing=True,
        ),
    log:
        f"{LOGS}/probe_stack/{{figure}}_{{side}}.log",
    wildcard_constraints:
        figure="figure[678]",
    conda:
        ENVIRONMENT
    params:
        stack=lambda wildcards: EXPERIMENT.stack(wildcards.figure, wildcards.side),
        audio=lambda wildcards, output: output.audio[0].removesuffix("_signal.wav"),
    shell:
        "python {input.script:q} stack"
        " --stack {params.stack:q}"
        " --audio {params.audio:q}"
        " --theory {output.theory:q}"
        " --output {output.arrays:q} 2>&1 | tee {log:q}"


rule probe_theory:
    """Measure what theory predicts of each operator, of replicas, or of a loss's gradient."""
    input:
        script="scripts/theory.py",
        package=package("operators", "probes"),
    output:
        arrays=f"{RESULTS}/theory/{{probe}}.npz",
    log:
        f"{LOGS}/probe_theory/{{probe}}.log",
    wildcard_constraints:
        probe="replicas|responses|loss_gradient",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1500,
    params:
        settings=lambda wildcards: EXPERIMENT.probe(wildcards.probe),
    shell:
        "python {input.script:q} {wildcards.probe}"
        " --settings {params.settings:q}"
        " --output {output.arrays:q} 2>&1 | tee {log:q}"
