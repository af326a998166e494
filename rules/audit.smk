AUDIT = "<results>/audits/{audit}"
# In docs/audit.md, of the configuration examples/audit/demo.yaml.
AUDIT_PICTURES = ["piper", "small_vocoder"]


rule audit:
    """Audit a network or recordings: which layer makes which line; combs of decoders."""
    input:
        lambda wildcards: EXPERIMENT.audits[wildcards.audit].files,
    output:
        report=f"{AUDIT}/report.json",
        page=reported(
            f"{AUDIT}/page.html", "audit", "Audits", audit="{audit}", shows="report"
        ),
        arrays=f"{AUDIT}/arrays.npz",
    log:
        "<logs>/audit/{audit}.log",
    benchmark:
        "<benchmarks>/audit/{audit}.tsv"
    wildcard_constraints:
        audit=one_of(n for n, one in EXPERIMENT.audits.items() if not one.repair),
    conda:
        ENVIRONMENT
    resources:
        mem_mb=3000,
    params:
        code=code("audit.py"),
        own=lambda wildcards: EXPERIMENT.audits[wildcards.audit].command,
        repaired=[],
    shell:
        quiet(
            'python "$SCRIPTS"/audit.py {params.own[kind]}'
            " --json {output.report:q}"
            " --html {output.page:q}"
            " --arrays {output.arrays:q}"
            " {params.repaired:q}"
            " {params.own[options]:q}"
            " -- {params.own[names]:q}"
        )


use rule audit as audit_and_repair with:
    output:
        report=f"{AUDIT}/report.json",
        page=reported(
            f"{AUDIT}/page.html", "audit", "Audits", audit="{audit}", shows="report"
        ),
        arrays=f"{AUDIT}/arrays.npz",
        repaired=directory(f"{AUDIT}/repaired"),
    wildcard_constraints:
        audit=one_of(n for n, one in EXPERIMENT.audits.items() if one.repair),
    params:
        repaired=lambda wildcards, output: [
            "--repair",
            f"{output.repaired}/{EXPERIMENT.audits[wildcards.audit].command['repaired']}",
        ],


rule draw_audit:
    """Draw an audit's spectrogram, and its lines in the colors of the layers that make them."""
    input:
        f"{AUDIT}/report.json",
        f"{AUDIT}/arrays.npz",
    output:
        pdf="<results>/figures/audits/{audit}.pdf",
        png=reported(
            "<results>/figures/audits/{audit}.png",
            "audit",
            "Audits",
            audit="{audit}",
            shows="lines",
        ),
        arrays=expand(
            "<results>/figures/arrays/audits/{audit}_{panel}.npz",
            panel=["sound", "lines"],
            allow_missing=True,
        ),
    log:
        "<logs>/figures/audits/{audit}.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1500,
    params:
        code=code("draw_figure.py"),
        name="audit",
        settings=lambda wildcards: canonical(
            {"title": EXPERIMENT.audit_title(wildcards.audit)}
        ),
        arrays=located("<results>/figures/arrays/audits/{audit}_{panel}.npz"),
    shell:
        SHELL_FIGURE


rule audits_table:
    """The table of all audits."""
    input:
        expand(f"{AUDIT}/report.json", audit=EXPERIMENT.audits),
    output:
        csv="<results>/tables/audits.csv",
        md="<results>/tables/audits.md",
        tex="<results>/tables/audits.tex",
        html=reported(
            "<results>/tables/audits.html", "audits", "Tables", table="Audits"
        ),
    log:
        "<logs>/audits_table.log",
    group:
        "tables"
    conda:
        ENVIRONMENT
    params:
        code=code("audits_table.py"),
        rows=table_plan.audit_rows(EXPERIMENT),
    shell:
        quiet(
            'python "$SCRIPTS"/audits_table.py {input:q}'
            " --rows {params.rows:q}"
            " --csv {output.csv:q}"
            " --md {output.md:q}"
            " --tex {output.tex:q}"
            " --html {output.html:q}"
        )


rule audits:
    """All audits that the section `audits` of config.yaml lists."""
    input:
        expand(f"{AUDIT}/page.html", audit=EXPERIMENT.audits),
        expand(rules.draw_audit.output.png, audit=EXPERIMENT.audits),
        rules.audits_table.output if EXPERIMENT.audits else [],


rule draw_audit_documentation:
    """Update the pictures of docs/audit.md, with --configfile examples/audit/demo.yaml."""
    input:
        expand("<results>/figures/audits/{picture}.png", picture=AUDIT_PICTURES),
    output:
        expand("docs/images/{picture}.png", picture=AUDIT_PICTURES),
    log:
        "<logs>/figures/audits/documentation.log",
    conda:
        ENVIRONMENT
    params:
        code=code("draw_documentation.py"),
    shell:
        quiet('python "$SCRIPTS"/draw_documentation.py {input:q} --folder docs/images')
