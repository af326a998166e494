# Upsampling artifacts in neural audio synthesis: the table of contents.
# `snakemake -n` lists the jobs that a change of config.yaml or of the code calls for.
from snakemake.utils import min_version

min_version("9.27")


report: "report/workflow.rst"


# Used with --software-deployment-method apptainer alone; envs/upsampling.def says how to build it.
container: "envs/upsampling.sif"


include: "rules/config.smk"
include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/initialisation.smk"
include: "rules/training.smk"
include: "rules/evaluation.smk"
include: "rules/theory.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/audit.smk"
include: "rules/gallery.smk"


localrules:
    all,
    figures,
    tables,
    audits,
    download,


rule all:
    """All figures and tables, the paper's and further ones, and the gallery."""
    default_target: True
    input:
        rules.figures.input,
        rules.tables.input,
        rules.audits.input,
        rules.gallery.output,


onstart:
    check_executor()


onsuccess:
    print(finished())


onerror:
    print(failures())
