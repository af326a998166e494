# Upsampling artifacts in neural audio synthesis: the table of contents.
# `snakemake -n` shows what a change of config.yaml would make anew.
from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "report/workflow.rst"


# Used with --software-deployment-method apptainer alone; envs/upsampling.def says how to build it.
container: "envs/upsampling.sif"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/initialisation.smk"
include: "rules/training.smk"
include: "rules/evaluation.smk"
include: "rules/figures.smk"
include: "rules/tables.smk"
include: "rules/report.smk"


localrules:
    all,
    figures,
    tables,
    download,


rule all:
    """Everything the paper shows, and what goes beyond it."""
    default_target: True
    input:
        rules.figures.input,
        rules.tables.input,
        rules.gallery.output,


onsuccess:
    print(
        f"\nAll done. Figures, tables, models and audio: {Path(RESULTS).resolve()}"
    )
    print(
        f"To see and hear them, open in a browser: {Path(rules.gallery.output.html).resolve()}"
    )


onerror:
    print(failures())
