import os

# Tables that LaTeX includes, and those that are too long for a page.
SUPPLEMENT_TABLES = [
    path
    for path in [*rules.tables.input, *rules.audits.input]
    if path.endswith(".tex")
]
SUPPLEMENT_DATA = [
    ("<results>/tables/comparisons.csv", "comparisons", ""),
    ("<results>/tables/artifacts.csv", "artifacts", ""),
    ("<results>/tables/artifact_history.csv", "artifact_history_table", ""),
    (
        "<results>/tables/init_statistics.csv",
        "artifacts",
        "Over many random initialisations",
    ),
]


def supplement_figures():
    """Each figure's file, the name of its caption, and a title where many share a caption."""
    files = [(f"<results>/figures/{name}.pdf", name, "") for name in FIGURES]
    for variant in EXPERIMENT.variants:
        path = rules.draw_variant.output.pdf.format(variant=variant)
        files.append((path, "variant", EXPERIMENT.figure_title(variant)))
    for variant in EXPERIMENT.trained:
        for seed in EXPERIMENT.seeds:
            path = rules.draw_before_after.output.pdf.format(variant=variant, seed=seed)
            title = f"{EXPERIMENT.figure_title(variant)}, seed {seed}"
            files.append((path, "before_after", title))
    for audit in EXPERIMENT.audits:
        path = rules.draw_audit.output.pdf.format(audit=audit)
        files.append((path, "audit", EXPERIMENT.audit_title(audit)))
    return files


def supplement_content():
    """Canonical JSON of the supplement, whose files are named relative to its folder."""
    folder = workflow.pathvars.apply("<results>/supplement")

    def relative(path):
        return os.path.relpath(workflow.pathvars.apply(path), folder)

    def item(path, caption, title=""):
        return {"file": relative(path), "caption": caption, "title": title}

    figures = [item(*figure) for figure in supplement_figures()]
    data = [item(*table) for table in SUPPLEMENT_DATA]
    captions = {
        one["caption"]: Path(
            workflow.basedir, "report", f"{one['caption']}.rst"
        ).read_text()
        for one in [*figures, *data]
    }
    return canonical(
        {
            "scale": EXPERIMENT.scale,
            "captions": captions,
            "figures": figures,
            "tables": [relative(path) for path in SUPPLEMENT_TABLES],
            "data": data,
        }
    )


rule supplement:
    """Write the supplement: all figures and tables in LaTeX, and a PDF where LaTeX is installed."""
    input:
        [path for path, _, _ in supplement_figures()],
        SUPPLEMENT_TABLES,
        [path for path, _, _ in SUPPLEMENT_DATA],
    output:
        tex="<results>/supplement/supplement.tex",
        pdf=[] if NO_LATEX else "<results>/supplement/supplement.pdf",
    log:
        "<logs>/supplement.log",
    conda:
        ENVIRONMENT
    params:
        code=code("supplement.py"),
        content=supplement_content(),
        pdf=lambda wildcards, output: ["--pdf", output.pdf] if output.pdf else [],
    shell:
        quiet(
            'python "$SCRIPTS"/supplement.py'
            " --content {params.content:q}"
            " --tex {output.tex:q}"
            " {params.pdf:q}"
        )
