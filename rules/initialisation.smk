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
        probe=lambda wildcards: EXPERIMENT.initialisation(wildcards.variant)["probe"],
        seed=lambda wildcards: EXPERIMENT.initialisation(wildcards.variant)["seed"],
        audio=lambda wildcards, output: output.audio[0].removesuffix("_input.wav"),
    shell:
        "python {input.script:q} initialised"
        " --model {params.model:q}"
        " --seed {params.seed}"
        " --probe {params.probe:q}"
        " --output {output.arrays:q}"
        " --audio {params.audio:q}"
        " --parameters {output.parameters:q} 2>&1 | tee {log:q}"


rule probe_stack:
    """Pass a signal through three upsampling layers (one column of Figs. 6, 7, 8)."""
    input:
        script="scripts/probe.py",
        package=package("operators", "models", "probes/responses", "probes/signals"),
    output:
        arrays=f"{RESULTS}/stacks/{{figure}}_{{side}}.npz",
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
        " --output {output.arrays:q} 2>&1 | tee {log:q}"
