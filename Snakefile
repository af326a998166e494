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
include: "rules/supplement.smk"
include: "rules/gallery.smk"


localrules:
    all,
    figures,
    tables,
    audits,
    download,
    supplement,  # on this machine, where LaTeX was looked for


rule all:
    """All figures and tables, the paper's and further ones, the supplement, and the gallery."""
    default_target: True
    input:
        rules.figures.input,
        rules.tables.input,
        rules.audits.input,
        rules.supplement.output,
        rules.gallery.output,


onstart:
    try:
        deployment.check_executor(workflow.executor_plugin.name)
    except UserError as error:
        sys.exit(f"error: {error}")
    if NO_LATEX:
        told(f"The supplement is written without its PDF: {NO_LATEX}.")


onsuccess:
    print(finished())


onerror:
    print(failures())
