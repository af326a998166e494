rule render_stack:
    """Process a signal with three upsampling layers (a column of Figs. 6-8); predict the output."""
    output:
        arrays="<results>/stacks/{figure}_{side}.npz",
        prediction="<results>/stacks/{figure}_{side}_theory.npz",
        audio=expand(
            "<results>/audio/stacks/{figure}_{side}_{layer}.wav",
            layer=["signal", "layer_1", "layer_2", "layer_3"],
            allow_missing=True,
        ),
    log:
        "<logs>/render_stack/{figure}_{side}.log",
    wildcard_constraints:
        figure="figure[678]",
    group:
        "theory"
    conda:
        ENVIRONMENT
    params:
        code=code("render_stack.py"),
        stack=lambda wildcards: EXPERIMENT.stack(wildcards.figure, wildcards.side),
        audio=located("<results>/audio/stacks/{figure}_{side}_{layer}.wav"),
    shell:
        shown(
            'python "$SCRIPTS"/render_stack.py'
            " --stack {params.stack:q}"
            " --output {output.arrays:q}"
            " --prediction {output.prediction:q}"
            " --audio {params.audio:q}"
        )


rule theory:
    """Measure and predict spectra of operators, of replicas, or of gradients of losses."""
    output:
        arrays="<results>/theory/{kind}.npz",
    log:
        "<logs>/theory/{kind}.log",
    wildcard_constraints:
        kind="operator_spectra|replicas|loss_gradient|training_losses",
    group:
        "theory"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1500,
    params:
        code=code("theory.py"),
        settings=lambda wildcards: EXPERIMENT.theory(wildcards.kind),
    shell:
        shown(
            'python "$SCRIPTS"/theory.py {wildcards.kind}'
            " --settings {params.settings:q}"
            " --output {output.arrays:q}"
        )
