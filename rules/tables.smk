TABLE_INPUTS = {
    "artifacts": expand(
        PROBE_MEASURES, variant=EXPERIMENT.variants, seed=EXPERIMENT.seeds
    ),
    "init_statistics": expand(
        rules.init_statistics.output.measures, variant=EXPERIMENT.variants
    ),
}


rule row_differences:
    """Compare every two rows of Table 1 on the same tracks."""
    input:
        scores=scored(rules.score.output.scores),
        published=lambda wildcards: EXPERIMENT.published_files,
    output:
        comparisons=reported(
            "<results>/tables/comparisons.csv",
            "comparisons",
            "Tables",
            table="Differences between rows of Table 1",
        ),
        tracks="<results>/tables/track_scores.csv",
    log:
        "<logs>/row_differences.log",
    group:
        "tables"
    conda:
        ENVIRONMENT
    params:
        code=code("row_differences.py"),
        rows=table_plan.scored_rows(EXPERIMENT),
        seeds=EXPERIMENT.seeds,
        scores=located(rules.score.output.scores),
        aggregation=EXPERIMENT.settings.evaluation.aggregation,
    shell:
        quiet(
            'python "$SCRIPTS"/row_differences.py'
            " --rows {params.rows:q}"
            " --seeds {params.seeds}"
            " --scores {params.scores:q}"
            " --aggregation {params.aggregation}"
            " --comparisons {output.comparisons:q}"
            " --tracks {output.tracks:q}"
        )


rule table1:
    """Write Table 1: measured scores, epoch times and parameters next to the printed ones."""
    input:
        scores=scored(rules.score.output.scores),
        timings=runs(rules.train.output.timing),
        specs=expand(
            rules.train.output.spec,
            variant=EXPERIMENT.scored,
            seed=EXPERIMENT.seeds[0],
        ),
        parameters=expand(
            rules.render_initialised.output.parameters, variant=EXPERIMENT.scored
        ),
        comparisons=rules.row_differences.output.comparisons,
        artifacts="<results>/tables/artifacts.csv",
        published=lambda wildcards: EXPERIMENT.published_files,
    output:
        csv="<results>/tables/table1.csv",
        md="<results>/tables/table1.md",
        tex="<results>/tables/table1.tex",
        sources_tex="<results>/tables/table1_sources.tex",
        html=reported(
            "<results>/tables/table1.html", "table1", "Tables", table="Table 1"
        ),
    log:
        "<logs>/table1.log",
    group:
        "tables"
    conda:
        ENVIRONMENT
    params:
        code=code("table1.py"),
        rows=table_plan.table1_rows(EXPERIMENT),
        seeds=EXPERIMENT.seeds,
        description=table_plan.table1_description(EXPERIMENT),
        scale=EXPERIMENT.scale,
        scores=located(rules.score.output.scores),
        timing=located(rules.train.output.timing),
        identity=located(rules.train.output.spec),
        parameters=located(rules.render_initialised.output.parameters),
    shell:
        quiet(
            'python "$SCRIPTS"/table1.py'
            " --rows {params.rows:q}"
            " --seeds {params.seeds}"
            " --description {params.description:q}"
            " --scale {params.scale}"
            " --scores {params.scores:q}"
            " --timing {params.timing:q}"
            " --identity {params.identity:q}"
            " --parameters {params.parameters:q}"
            " --comparisons {input.comparisons:q}"
            " --artifacts {input.artifacts:q}"
            " --csv {output.csv:q}"
            " --md {output.md:q}"
            " --tex {output.tex:q}"
            " --sources-tex {output.sources_tex:q}"
            " --html {output.html:q}"
        )


rule collect:
    """Join the artifact measures of all variants' models, or of their initialisations."""
    input:
        lambda wildcards: TABLE_INPUTS[wildcards.table],
    output:
        csv=reported(
            "<results>/tables/{table}.csv", "artifacts", "Tables", table="{table}"
        ),
    log:
        "<logs>/collect/{table}.log",
    wildcard_constraints:
        table="|".join(TABLE_INPUTS),
    group:
        "tables"
    conda:
        ENVIRONMENT
    params:
        code=code("collect.py"),
    shell:
        quiet('python "$SCRIPTS"/collect.py {input:q} --output {output.csv:q}')


rule table2:
    """Write Table 2: the artifacts of each variant before and after training."""
    input:
        artifacts="<results>/tables/artifacts.csv",
    output:
        csv="<results>/tables/table2.csv",
        md="<results>/tables/table2.md",
        tex="<results>/tables/table2.tex",
        html=reported(
            "<results>/tables/table2.html", "table2", "Tables", table="Table 2"
        ),
    log:
        "<logs>/table2.log",
    group:
        "tables"
    conda:
        ENVIRONMENT
    params:
        code=code("table2.py"),
        rows=table_plan.table2_rows(EXPERIMENT),
        description=table_plan.table2_description(EXPERIMENT),
        scale=EXPERIMENT.scale,
    shell:
        quiet(
            'python "$SCRIPTS"/table2.py'
            " --artifacts {input.artifacts:q}"
            " --rows {params.rows:q}"
            " --description {params.description:q}"
            " --scale {params.scale}"
            " --csv {output.csv:q}"
            " --md {output.md:q}"
            " --tex {output.tex:q}"
            " --html {output.html:q}"
        )


rule artifact_history:
    """Artifacts through training: at epochs 0, 1, 2, 4 and so on of each run, and the last."""
    input:
        histories=runs(rules.train.output.artifacts),
    output:
        csv=reported(
            "<results>/tables/artifact_history.csv",
            "artifact_history_table",
            "Tables",
            table="Artifacts through training",
        ),
        md="<results>/tables/artifact_history.md",
    log:
        "<logs>/artifact_history.log",
    conda:
        ENVIRONMENT
    params:
        code=code("artifact_history.py"),
        rows=table_plan.history_rows(EXPERIMENT),
        seeds=EXPERIMENT.seeds,
        description=table_plan.table2_description(EXPERIMENT),
        scale=EXPERIMENT.scale,
        histories=located(rules.train.output.artifacts),
    shell:
        quiet(
            'python "$SCRIPTS"/artifact_history.py'
            " --rows {params.rows:q}"
            " --seeds {params.seeds}"
            " --description {params.description:q}"
            " --scale {params.scale}"
            " --histories {params.histories:q}"
            " --csv {output.csv:q}"
            " --md {output.md:q}"
        )


rule loss_lines:
    """Lines in the gradients of training losses, and in the outputs of models trained with them."""
    input:
        artifacts="<results>/tables/artifacts.csv",
        gradients="<results>/theory/training_losses.npz",
    output:
        csv=reported(
            "<results>/tables/loss_lines.csv",
            "loss_lines_table",
            "Tables",
            table="Lines of losses",
        ),
        md="<results>/tables/loss_lines.md",
    log:
        "<logs>/loss_lines.log",
    group:
        "tables"
    conda:
        ENVIRONMENT
    params:
        code=code("loss_lines.py"),
        rows=table_plan.canonical(table_plan.loss_rows(EXPERIMENT)),
        description=table_plan.table2_description(EXPERIMENT),
        scale=EXPERIMENT.scale,
        samplerate=EXPERIMENT.samplerate or 44100,
    shell:
        quiet(
            'python "$SCRIPTS"/loss_lines.py'
            " --artifacts {input.artifacts:q}"
            " --gradients {input.gradients:q}"
            " --rows {params.rows:q}"
            " --samplerate {params.samplerate}"
            " --description {params.description:q}"
            " --scale {params.scale}"
            " --csv {output.csv:q}"
            " --md {output.md:q}"
        )


rule tables:
    """All tables."""
    input:
        rules.table1.output,
        rules.row_differences.output,
        expand(rules.collect.output.csv, table=TABLE_INPUTS),
        rules.table2.output,
        rules.artifact_history.output,
        # Only with variants that differ in the loss alone.
        rules.loss_lines.output if table_plan.loss_rows(EXPERIMENT) else [],
