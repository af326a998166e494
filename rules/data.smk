rule download:
    """Download and unpack the data set, unless the folder already holds one."""
    output:
        record="<store>/dataset.json",
    log:
        "<logs>/download.log",
    conda:
        ENVIRONMENT
    params:
        dataset=DATA.dataset,
        root=lambda wildcards: DATA.root,
    shell:
        shown(
            'python "$SCRIPTS"/download.py'
            " --dataset {params.dataset:q}"
            " --root {params.root:q}"
            " --record {output.record:q}"
        )


rule prepare_tracks:
    """Decode all tracks once into memory-mapped arrays; at demo scale, compose the songs first."""
    input:
        lambda wildcards: after_earlier_calls(
            [] if DATA.dataset == "demo" else rules.download.output.record
        ),
    output:
        manifest="<store>/manifest.json",
    log:
        "<logs>/prepare_tracks.log",
    benchmark:
        "<benchmarks>/prepare_tracks.tsv"
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        mem_mb=8000,
    params:
        dataset=DATA.dataset,
        root=lambda wildcards: DATA.root,
        store=folder("manifest"),
        demo=DATA.demo_songs,
        options=DATA.track_options(EXPERIMENT.samplerate),
    shell:
        shown(
            'python "$SCRIPTS"/prepare_tracks.py'
            " --dataset {params.dataset:q}"
            " --root {params.root:q}"
            " --store {params.store:q}"
            " --demo {params.demo:q}"
            " --workers {threads}"
            " {params.options:q}"
        )
