rule probe_initialised:
    """Feed white noise to one variant's random model at paper width (Figs. 1 and 9)."""
    input:
        script="scripts/probe.py",
        package=package("operators", "models", "probes/responses", "probes/signals"),
    output:
        arrays=f"{RESULTS}/initialisation/{{variant}}.npz",
        parameters=f"{RESULTS}/initialisation/{{variant}}.json",
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
    shell:
        "python {input.script:q} initialised"
        " --model {params.model:q}"
        " --seed {params.seed}"
        " --probe {params.probe:q}"
        " --output {output.arrays:q}"
        " --parameters {output.parameters:q} 2>&1 | tee {log:q}"


rule probe_stack:
    """Pass a signal through three upsampling layers (one column of Figs. 6, 7, 8)."""
    input:
        script="scripts/probe.py",
        package=package("operators", "models", "probes/responses", "probes/signals"),
    output:
        arrays=f"{RESULTS}/stacks/{{figure}}_{{side}}.npz",
    log:
        f"{LOGS}/probe_stack/{{figure}}_{{side}}.log",
    wildcard_constraints:
        figure="figure[678]",
    conda:
        ENVIRONMENT
    params:
        stack=lambda wildcards: EXPERIMENT.stack(wildcards.figure, wildcards.side),
    shell:
        "python {input.script:q} stack"
        " --stack {params.stack:q}"
        " --output {output.arrays:q} 2>&1 | tee {log:q}"
