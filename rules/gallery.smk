rule gallery:
    """Write the gallery: one page of all upsamplers' artifacts, with pictures and sounds."""
    input:
        initialised=expand(
            rules.render_initialised.output.arrays, variant=EXPERIMENT.variants
        ),
        probes=[
            expand(
                PROBE_ARRAYS,
                variant=variant,
                seed=gallery_seeds(EXPERIMENT),
                signal=gallery_signals(EXPERIMENT),
                stage=EXPERIMENT.stages(variant),
            )
            for variant in EXPERIMENT.variants
        ],
        # The separated excerpts are written beside the scores.
        scores=expand(
            rules.score.output.scores,
            variant=EXPERIMENT.scored,
            seed=gallery_seeds(EXPERIMENT),
        ),
        audits=expand(f"{AUDIT}/report.json", audit=EXPERIMENT.audits),
        artifacts="<results>/tables/artifacts.csv",
        table1=rules.table1.output.csv,
        training=expand(
            "<results>/figures/{figure}.png",
            figure=FIGURES.keys() & {"artifact_history"},
        ),
    output:
        html="<results>/report/gallery.html",
    log:
        "<logs>/gallery.log",
    benchmark:
        "<benchmarks>/gallery.tsv"
    group:
        "tables"
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=2000,
    params:
        code=code("gallery.py"),
        content=GALLERY,
        initialised=located(rules.render_initialised.output.arrays),
        probes=located(PROBE_ARRAYS),
        audits=located(f"{AUDIT}/report.json"),
        excerpts=located("<results>/audio/{variant}/seed{seed}/{track}_{source}.wav"),
    shell:
        shown(
            'python "$SCRIPTS"/gallery.py'
            " --content {params.content:q}"
            " --initialised {params.initialised:q}"
            " --probes {params.probes:q}"
            " --excerpts {params.excerpts:q}"
            " --audits {params.audits:q}"
            " --audit-pages ../audits/{{audit}}/page.html"
            " --artifacts {input.artifacts:q}"
            " --table1 {input.table1:q}"
            " --training {input.training:q}"
            " --workers {threads}"
            " --output {output.html:q}"
        )
