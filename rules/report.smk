rule gallery:
    """One page to see, hear and sort what every upsampler does, before and after training."""
    input:
        initialised=expand(
            rules.probe_initialised.output.arrays, variant=EXPERIMENT.variants
        ),
        probes=expand(
            f"{RESULTS}/probes/{{variant}}/seed{{seed}}/{{signal}}_{{stage}}.npz",
            variant=EXPERIMENT.trained,
            seed=gallery_seeds(EXPERIMENT),
            signal=gallery_signals(EXPERIMENT),
            stage=STAGES,
        ),
        untrained=expand(
            f"{RESULTS}/probes/{{variant}}/seed{{seed}}/{{signal}}_initialised.npz",
            variant=EXPERIMENT.untrained,
            seed=gallery_seeds(EXPERIMENT),
            signal=gallery_signals(EXPERIMENT),
        ),
        # The separated excerpts are written beside the scores.
        scores=expand(
            rules.score.output.scores,
            variant=EXPERIMENT.trained,
            seed=gallery_seeds(EXPERIMENT),
        ),
        artifacts=rules.collect_artifacts.output.csv,
        table=rules.table1.output.csv,
        script="scripts/page.py",
        package=package(
            "paper/gallery", "paper/spectrograms", "probes/spectra", "probes/artifacts"
        ),
        page=[
            str(path)
            for kind in ("j2", "css", "js")
            for path in sorted(Path(PACKAGE, "paper/gallery").glob(f"*.{kind}"))
        ],
    output:
        html=f"{RESULTS}/report/gallery.html",
    log:
        f"{LOGS}/gallery.log",
    benchmark:
        f"{RESULTS}/benchmarks/gallery.tsv"
    conda:
        ENVIRONMENT
    threads: 2
    resources:
        mem_mb=2000,
    params:
        spec=GALLERY,
        results=lambda wildcards, input: str(Path(input.table).parents[1]),
    shell:
        "python {input.script:q}"
        " --spec {params.spec:q}"
        " --results {params.results:q}"
        " --workers {threads}"
        " --output {output.html:q} 2>&1 | tee {log:q}"
