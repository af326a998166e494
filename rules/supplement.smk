import os

# Tables that LaTeX includes, and those that are too long for a page.
SUPPLEMENT_TABLES = [
    path for path in [*rules.tables.input, *rules.audits.input] if path.endswith(".tex")
]
SUPPLEMENT_DATA = [
    ("<results>/tables/comparisons.csv", "comparisons", ""),
    ("<results>/tables/artifacts.csv", "artifacts", ""),
    ("<results>/tables/artifact_history.csv", "artifact_history_table", ""),
    *[
        (path, "loss_lines_table", "")
        for path in rules.tables.input
        if path == rules.loss_lines.output.csv
    ],
    (
        "<results>/tables/init_statistics.csv",
        "artifacts",
        "Over many random initialisations",
    ),
]


# Each figure's file, the name of its caption, and a title where many share a caption.
SUPPLEMENT_FIGURES = [
    *[(f"<results>/figures/{name}.pdf", name, "") for name in FIGURES],
    *[
        (
            rules.draw_variant.output.pdf.format(variant=variant),
            "variant",
            EXPERIMENT.figure_title(variant),
        )
        for variant in EXPERIMENT.variants
    ],
    *[
        (
            rules.draw_before_after.output.pdf.format(variant=variant, seed=seed),
            "before_after",
            f"{EXPERIMENT.figure_title(variant)}, seed {seed}",
        )
        for variant in EXPERIMENT.scored
        for seed in EXPERIMENT.seeds
    ],
    *[
        (
            rules.draw_audit.output.pdf.format(audit=audit),
            "audit",
            EXPERIMENT.audit_title(audit),
        )
        for audit in EXPERIMENT.audits
    ],
]
SUPPLEMENT_FILES = [
    *[path for path, _, _ in SUPPLEMENT_FIGURES],
    *SUPPLEMENT_TABLES,
    *[path for path, _, _ in SUPPLEMENT_DATA],
]
SUPPLEMENT_CAPTIONED = {"figures": SUPPLEMENT_FIGURES, "data": SUPPLEMENT_DATA}
# Files as the document names them, relative to its folder.
FROM_SUPPLEMENT = {
    path: os.path.relpath(
        workflow.pathvars.apply(path), workflow.pathvars.apply("<results>/supplement")
    )
    for path in SUPPLEMENT_FILES
}
SUPPLEMENT_CONTENT = canonical(
    {
        "scale": EXPERIMENT.scale,
        "captions": {
            caption: Path(workflow.basedir, "report", f"{caption}.rst").read_text()
            for _, caption, _ in [*SUPPLEMENT_FIGURES, *SUPPLEMENT_DATA]
        },
        "tables": [FROM_SUPPLEMENT[path] for path in SUPPLEMENT_TABLES],
        **{
            name: [
                {"file": FROM_SUPPLEMENT[path], "caption": caption, "title": title}
                for path, caption, title in listed
            ]
            for name, listed in SUPPLEMENT_CAPTIONED.items()
        },
    }
)


rule supplement:
    """Write the supplement: all figures and tables in LaTeX, and a PDF where LaTeX is installed."""
    input:
        SUPPLEMENT_FILES,
    output:
        tex="<results>/supplement/supplement.tex",
        pdf=[] if NO_LATEX else "<results>/supplement/supplement.pdf",
    log:
        "<logs>/supplement.log",
    conda:
        ENVIRONMENT
    params:
        code=code("supplement.py"),
        content=SUPPLEMENT_CONTENT,
        pdf=lambda wildcards, output: ["--pdf", output.pdf] if output.pdf else [],
    shell:
        quiet(
            'python "$SCRIPTS"/supplement.py'
            " --content {params.content:q}"
            " --tex {output.tex:q}"
            " {params.pdf:q}"
        )
