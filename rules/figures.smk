SHELL_FIGURE = quiet(
    'python "$SCRIPTS"/draw_figure.py {params.name}'
    " --settings {params.settings:q}"
    " --inputs {input:q}"
    " --pdf {output.pdf:q}"
    " --png {output.png:q}"
    " --arrays {params.arrays:q}"
)
# The pictures of README.md and docs/, updated by `snakemake --cores 2 draw_documentation`.
PICTURES = [
    "figure1",
    "figure1_trained",
    "figure5",
    "figure6_theory",
    "figure8_theory",
    "operator_spectra",
    "replicas",
    "loss_gradient",
]


# The files that each figure is drawn from, in order, and its group of cluster jobs.
FIGURE_INPUTS = {
    "figure1": (initialised(EXPERIMENT.settings.figures.figure1.panels), "tables"),
    "figure1_trained": (
        expand(
            PROBE_ARRAYS,
            variant=figure1_trained(EXPERIMENT),
            seed=EXPERIMENT.seeds[0],
            signal=EXPERIMENT.settings.initialisation.signal,
            stage=["initialised", "trained"],
        ),
        "tables",
    ),
    "figure9": (initialised(EXPERIMENT.settings.figures.figure9.panels), "tables"),
    "initialisation": (initialised(EXPERIMENT.variants), "tables"),
    **{
        f"figure{n}{end}": (stacks(f"figure{n}", *kinds), "theory")
        for n in (6, 7, 8)
        for end, kinds in (("", ["arrays"]), ("_theory", ["arrays", "prediction"]))
    },
    "figure10": (stacks("figure8", "arrays")[:1], "theory"),
    "operator_spectra": (["<results>/theory/operator_spectra.npz"], "theory"),
    "replicas": (["<results>/theory/replicas.npz"], "theory"),
    "loss_gradient": (["<results>/theory/loss_gradient.npz"], "theory"),
    "track_differences": (list(rules.row_differences.output), "tables"),
    "artifact_history": (runs(rules.train.output.artifacts), "tables"),
    "loss_lines": (
        ["<results>/theory/training_losses.npz", "<results>/tables/loss_lines.csv"],
        "tables",
    ),
    "artifact_changes": (["<results>/tables/artifacts.csv"], "tables"),
    "init_statistics": (["<results>/tables/init_statistics.csv"], "tables"),
}

# One rule per figure, since their panels differ.
for figure_name, figure in FIGURES.items():

    rule:
        name:
            f"draw_{figure_name}"
        input:
            FIGURE_INPUTS.get(figure_name, ([], ""))[0],
        output:
            pdf=f"<results>/figures/{figure_name}.pdf",
            png=reported(
                f"<results>/figures/{figure_name}.png",
                figure_name,
                "Figures",
                figure=figure_name,
            ),
            arrays=expand(
                f"<results>/figures/arrays/{figure_name}_{{panel}}.npz",
                panel=figure.panels,
            ),
        log:
            f"<logs>/figures/{figure_name}.log",
        group:
            FIGURE_INPUTS.get(figure_name, ([], "theory"))[1]
        conda:
            ENVIRONMENT
        resources:
            mem_mb=1500,
        params:
            code=code("draw_figure.py"),
            name=figure_name,
            settings=figure.json,
            arrays=located(f"<results>/figures/arrays/{figure_name}_{{panel}}.npz"),
        shell:
            SHELL_FIGURE


rule draw_variant:
    """Draw one variant's own panel, as in Fig. 1."""
    input:
        rules.render_initialised.output.arrays,
    output:
        pdf="<results>/figures/variants/{variant}.pdf",
        png=reported(
            "<results>/figures/variants/{variant}.png",
            "variant",
            "Upsamplers",
            variant="{variant}",
            shows="before training",
        ),
        arrays="<results>/figures/arrays/variants/{variant}_initialised.npz",
    log:
        "<logs>/figures/{variant}.log",
    group:
        "initialised"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1500,
    params:
        code=code("draw_figure.py"),
        name="variant",
        settings=lambda wildcards: grid(
            EXPERIMENT, [wildcards.variant], ["initialised"]
        ).json,
        arrays=located("<results>/figures/arrays/variants/{variant}_{panel}.npz"),
    shell:
        SHELL_FIGURE


rule draw_before_after:
    """Draw one run's outputs for the probe signals, before and after training."""
    input:
        per_signal(PROBE_ARRAYS, stage=["initialised", "trained"]),
    output:
        pdf="<results>/figures/before_after/{variant}_seed{seed}.pdf",
        png=reported(
            "<results>/figures/before_after/{variant}_seed{seed}.png",
            "before_after",
            "Upsamplers",
            variant="{variant}",
            shows="before and after training, seed {seed}",
        ),
        arrays=per_signal(
            "<results>/figures/arrays/before_after/{variant}_seed{seed}_{signal}_{kind}.npz",
            kind=["initialised", "trained", "mean"],
        ),
    log:
        "<logs>/figures/{variant}_seed{seed}_before_after.log",
    group:
        "trained"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1500,
    params:
        code=code("draw_figure.py"),
        name="before_after",
        settings=lambda wildcards: before_after(
            EXPERIMENT, wildcards.variant, wildcards.seed
        ).json,
        arrays=located(
            "<results>/figures/arrays/before_after/{variant}_seed{seed}_{panel}.npz"
        ),
    shell:
        SHELL_FIGURE


rule figures:
    """All figures, each as PDF and PNG with the arrays that it shows."""
    input:
        expand("<results>/figures/{figure}.{kind}", figure=FIGURES, kind=["pdf", "png"]),
        expand(rules.draw_variant.output.png, variant=EXPERIMENT.variants),
        scored(rules.draw_before_after.output.png),


rule draw_documentation:
    """Update the pictures of the documentation, small enough to be committed."""
    input:
        expand("<results>/figures/{picture}.png", picture=PICTURES),
    output:
        expand("docs/images/{picture}.png", picture=PICTURES),
    log:
        "<logs>/figures/documentation.log",
    conda:
        ENVIRONMENT
    params:
        code=code("draw_documentation.py"),
    shell:
        quiet('python "$SCRIPTS"/draw_documentation.py {input:q} --folder docs/images')
