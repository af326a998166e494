SHELL_FIGURE = (
    "python {input.script:q} {params.kind}"
    " --spec {params.spec:q}"
    " --inputs {input.arrays:q}"
    " --pdf {output.pdf:q}"
    " --png {output.png:q}"
    " --arrays {params.arrays:q} > {log:q} 2>&1"
)

# What docs/artifacts.md shows; `snakemake --cores 2 draw_documentation` brings it up to date.
PICTURES = [
    "figure5",
    "figure6_theory",
    "figure8_theory",
    "responses",
    "replicas",
    "loss_gradient",
]

# One rule per figure, since their inputs and panels differ.
for figure in EXPERIMENT.figures(RESULTS):

    rule:
        name:
            f"draw_{figure.name}"
        input:
            arrays=figure.inputs,
            script="scripts/figure.py",
            package=package("paper", "probes/spectra", "probes/artifacts"),
        output:
            pdf=f"{RESULTS}/figures/{figure.name}.pdf",
            png=report(
                f"{RESULTS}/figures/{figure.name}.png",
                caption=f"../report/{figure.name}.rst",
                category="Figures",
                labels={"figure": figure.name},
            ),
            arrays=expand(
                f"{RESULTS}/figures/arrays/{figure.name}_{{panel}}.npz",
                panel=figure.panels,
            ),
        log:
            f"{LOGS}/figures/{figure.name}.log",
        conda:
            ENVIRONMENT
        resources:
            mem_mb=1500,
        params:
            kind=figure.name,
            spec=canonical(figure.spec),
            arrays=folder("arrays"),
        shell:
            SHELL_FIGURE


rule draw_variant:
    """Draw one variant's own panel, as in Fig. 1."""
    input:
        arrays=rules.probe_initialised.output.arrays,
        script="scripts/figure.py",
        package=package("paper", "probes/spectra", "probes/artifacts"),
    output:
        pdf=f"{RESULTS}/figures/variants/{{variant}}.pdf",
        png=report(
            f"{RESULTS}/figures/variants/{{variant}}.png",
            caption="../report/variant.rst",
            category="Upsamplers",
            labels={"variant": "{variant}", "shows": "before training"},
        ),
        arrays=f"{RESULTS}/figures/arrays/variants/{{variant}}_initialised.npz",
    log:
        f"{LOGS}/figures/{{variant}}.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1500,
    params:
        kind="variant",
        spec=lambda wildcards: EXPERIMENT.panel(wildcards.variant),
        arrays=folder("arrays"),
    shell:
        SHELL_FIGURE


rule draw_before_after:
    """Draw one run's responses to the probe signals, before and after training."""
    input:
        arrays=expand(
            f"{RESULTS}/probes/{{variant}}/seed{{seed}}/{{signal}}_{{stage}}.npz",
            signal=EXPERIMENT.signals,
            stage=STAGES,
            allow_missing=True,
        ),
        script="scripts/figure.py",
        package=package("paper", "probes/spectra", "probes/artifacts"),
    output:
        pdf=f"{RESULTS}/figures/before_after/{{variant}}_seed{{seed}}.pdf",
        png=report(
            f"{RESULTS}/figures/before_after/{{variant}}_seed{{seed}}.png",
            caption="../report/before_after.rst",
            category="Upsamplers",
            labels={
                "variant": "{variant}",
                "shows": "before and after training, seed {seed}",
            },
        ),
        arrays=expand(
            f"{RESULTS}/figures/arrays/before_after/{{variant}}_seed{{seed}}_{{signal}}_{{kind}}.npz",
            signal=EXPERIMENT.signals,
            kind=[*STAGES, "mean"],
            allow_missing=True,
        ),
    log:
        f"{LOGS}/figures/{{variant}}_seed{{seed}}_before_after.log",
    conda:
        ENVIRONMENT
    resources:
        mem_mb=1500,
    params:
        kind="before_after",
        spec=lambda wildcards: EXPERIMENT.before_after(
            wildcards.variant, wildcards.seed
        ),
        arrays=folder("arrays"),
    shell:
        SHELL_FIGURE


rule figures:
    """All figures, each as PDF and PNG with the arrays that it shows."""
    input:
        [
            f"{RESULTS}/figures/{figure.name}.{kind}"
            for figure in EXPERIMENT.figures(RESULTS)
            for kind in ("pdf", "png")
        ],
        expand(rules.draw_variant.output.png, variant=EXPERIMENT.variants),
        runs(rules.draw_before_after.output.png),


rule draw_documentation:
    """Make the pictures of docs/artifacts.md anew, small enough to be committed."""
    input:
        png=expand(f"{RESULTS}/figures/{{name}}.png", name=PICTURES),
        script="scripts/pictures.py",
    output:
        expand("docs/images/{name}.png", name=PICTURES),
    log:
        f"{LOGS}/figures/documentation.log",
    conda:
        ENVIRONMENT
    shell:
        "python {input.script:q} {input.png:q} --folder docs/images > {log:q} 2>&1"
