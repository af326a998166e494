rule compare:
    """Compare every two rows of Table 1 on the same tracks."""
    input:
        scores=runs(rules.score.output.scores),
        published=EXPERIMENT.published,
        script="scripts/compare.py",
        package=package(
            "paper/tables",
            "scoring/aggregation",
            "scoring/bootstrap",
            "scoring/published",
            "scoring/significance",
        ),
    output:
        comparisons=report(
            f"{RESULTS}/tables/comparisons.csv",
            caption="../report/comparisons.rst",
            category="Tables",
            labels={"table": "Differences between rows of Table 1"},
        ),
        tracks=f"{RESULTS}/tables/track_scores.csv",
    log:
        f"{LOGS}/compare.log",
    conda:
        ENVIRONMENT
    params:
        rows=EXPERIMENT.compared_rows(),
        aggregation=EXPERIMENT.aggregation,
        files=score_files(),
    shell:
        "python {input.script:q}"
        " --rows {params.rows:q}"
        " --aggregation {params.aggregation}"
        " {params.files:q}"
        " --comparisons {output.comparisons:q}"
        " --tracks {output.tracks:q} > {log:q} 2>&1"


rule table1:
    """Table 1: own scores, epoch time and parameters beside the printed ones."""
    input:
        scores=runs(rules.score.output.scores),
        timings=runs(rules.train.output.timing),
        specs=expand(
            rules.train.output.spec,
            variant=EXPERIMENT.trained,
            seed=EXPERIMENT.seeds[0],
        ),
        parameters=expand(
            rules.probe_initialised.output.parameters, variant=EXPERIMENT.trained
        ),
        comparisons=rules.compare.output.comparisons,
        published=EXPERIMENT.published,
        script="scripts/table.py",
        package=package(
            "paper/tables",
            "paper/table_text",
            "paper/markup",
            "paper/typesetting",
            "scoring/aggregation",
            "scoring/published",
            "scoring/significance",
        ),
    output:
        csv=f"{RESULTS}/tables/table1.csv",
        md=f"{RESULTS}/tables/table1.md",
        tex=f"{RESULTS}/tables/table1.tex",
        html=report(
            f"{RESULTS}/tables/table1.html",
            caption="../report/table1.rst",
            category="Tables",
            labels={"table": "Table 1"},
        ),
    log:
        f"{LOGS}/table1.log",
    conda:
        ENVIRONMENT
    params:
        rows=EXPERIMENT.table_rows(),
        description=EXPERIMENT.description(),
        scale=EXPERIMENT.scale,
        files=table_files(),
    shell:
        "python {input.script:q}"
        " --rows {params.rows:q}"
        " --description {params.description:q}"
        " --scale {params.scale}"
        " {params.files:q}"
        " --comparisons {input.comparisons:q}"
        " --csv {output.csv:q}"
        " --md {output.md:q}"
        " --tex {output.tex:q}"
        " --html {output.html:q} > {log:q} 2>&1"


rule collect_artifacts:
    """All artifact measures of all variants, before and after training, in one tidy table."""
    input:
        measures=surveys(),
        script="scripts/collect.py",
    output:
        csv=report(
            f"{RESULTS}/tables/artifacts.csv",
            caption="../report/artifacts.rst",
            category="Tables",
            labels={"table": "Artifacts before and after training"},
        ),
    log:
        f"{LOGS}/collect_artifacts.log",
    conda:
        ENVIRONMENT
    shell:
        "python {input.script:q} {output.csv:q} {input.measures:q} > {log:q} 2>&1"


rule collect_distribution:
    """The artifacts of all variants' random initialisations, and what theory expects, in one table."""
    input:
        measures=expand(
            rules.measure_distribution.output.spread, variant=EXPERIMENT.variants
        ),
        script="scripts/collect.py",
    output:
        csv=f"{RESULTS}/tables/distribution.csv",
    log:
        f"{LOGS}/collect_distribution.log",
    conda:
        ENVIRONMENT
    shell:
        "python {input.script:q} {output.csv:q} {input.measures:q} > {log:q} 2>&1"


rule table2:
    """Table 2: the artifacts of each variant before and after training."""
    input:
        artifacts=rules.collect_artifacts.output.csv,
        script="scripts/table2.py",
        package=package(
            "paper/artifact_table",
            "paper/artifact_summary",
            "paper/markup",
            "paper/typesetting",
        ),
    output:
        csv=f"{RESULTS}/tables/table2.csv",
        md=f"{RESULTS}/tables/table2.md",
        tex=f"{RESULTS}/tables/table2.tex",
        html=report(
            f"{RESULTS}/tables/table2.html",
            caption="../report/table2.rst",
            category="Tables",
            labels={"table": "Table 2"},
        ),
    log:
        f"{LOGS}/table2.log",
    conda:
        ENVIRONMENT
    params:
        rows=EXPERIMENT.artifact_rows(),
        description=EXPERIMENT.training_summary(),
        scale=EXPERIMENT.scale,
    shell:
        "python {input.script:q}"
        " --artifacts {input.artifacts:q}"
        " --rows {params.rows:q}"
        " --description {params.description:q}"
        " --scale {params.scale}"
        " --csv {output.csv:q}"
        " --md {output.md:q}"
        " --tex {output.tex:q}"
        " --html {output.html:q} > {log:q} 2>&1"


rule tables:
    """All tables."""
    input:
        rules.table1.output,
        rules.compare.output,
        rules.collect_artifacts.output,
        rules.collect_distribution.output,
        rules.table2.output,
