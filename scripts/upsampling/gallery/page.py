"""The page: data, style and script in one HTML file that loads nothing."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from upsampling.config.sections import STAGES
from upsampling.files import checked, content_of, read_json
from upsampling.gallery import artifact_table, clips, pictures, sound
from upsampling.gallery.glossary import ARTIFACTS, PROBES, entry_of
from upsampling.gallery.media import Media
from upsampling.html_pages import data_uri, policy, templates
from upsampling.measures.artifact_rows import WEIGHTS, read_rows
from upsampling.measures.from_waveform import comb_frequencies

FOLDER = Path(__file__).parent
# Joined in this order into the page's one script.
SCRIPTS = ("plots.js", "cards.js", "table.js", "page.js")
MEGABYTE = 10**6
# Measures that a card shows in one line: of tonal and of filtering artifacts.
HEADLINES = ("tone_prominence", "notch_depth")


def gallery(content: Mapping[str, Any], files: clips.Files, workers: int = 1) -> tuple[str, int]:
    """The page with the content that `gallery_content` describes, from `files`.

    Returns its HTML and the number of pictures and sounds left out for lack of room. Equal files
    give equal bytes for any number of `workers` that render pictures and sounds.
    """
    media = Media()
    probe_clips = clips.probe_clips(content, files, media)
    names = [variant["name"] for variant in content["variants"]]
    artifacts = read_rows(files.artifacts)
    lines = artifact_table.outermost_lines(artifacts)
    data: dict[str, Any] = {
        "variants": [
            variant | {"tones": tones(probe_clips[clips.INITIALISATION][name], lines.get(name))}
            for name, variant in zip(names, content["variants"], strict=True)
        ],
        "scores": artifact_table.scores(files.table1),
        "seeds": content["seeds"],
        "probes": [
            artifact_table.described(name, PROBES)
            for name in [*content["signals"], clips.INITIALISATION]
        ],
        "initialisation": clips.INITIALISATION,
        "initialisation_title": entry_of(content["initialisation_signal"], PROBES).title,
        "stages": STAGES,
        "headlines": HEADLINES,
        "weights": WEIGHTS,
        "clips": probe_clips,
        "excerpts": clips.excerpts(content, files, media),
        "artifacts": artifact_table.artifact_rows(artifacts, names),
    }
    training = files.training
    figure = data_uri("image/png", checked(training).read_bytes()) if training else None
    room = content["settings"]["megabytes"] * MEGABYTE - len(json.dumps(data)) - len(figure or "")
    left_out = media.render(room, workers)
    cards = audit_cards(content["audits"], files.audits, files.audit_pages)
    return render(content, data, cards, left_out, figure), left_out


def tones(clip: Mapping[str, Any], lowest: float | None) -> list[float]:
    """Frequencies in Hz of the outermost layer's tones, up to half the clip's sampling rate."""
    return comb_frequencies(lowest, clip["samplerate"]).tolist() if lowest else []


def audit_cards(audits: Sequence[Mapping[str, Any]], reports: str, pages: str) -> list[dict]:
    """`title`, `verdict` and `link` of each of the `audits` {name, title}.

    `reports` is a pattern of files with {audit}, `pages` one of links from the gallery.
    """
    cards = []
    for audit in audits:
        path = reports.format(audit=audit["name"])
        with content_of(path):
            text = verdict(read_json(path))
        link = pages.format(audit=audit["name"])
        cards.append({"title": audit["title"], "verdict": text, "link": link})
    return cards


def verdict(report: Mapping[str, Any]) -> str:
    """A network's verdict and what its repair changed; of recordings, how many have a comb."""
    if "recordings" not in report:
        repair = report.get("repair")
        return " ".join([report["verdict"], *([repair["summary"]] if repair else [])])
    recordings = report["recordings"]
    if len(recordings) == 1:
        return recordings[0]["verdict"]
    found = sum(recording["found"] for recording in recordings)
    return f"{found} of {len(recordings)} recordings have a comb that stands out."


def render(
    content: Mapping[str, Any],
    data: Mapping[str, Any],
    audits: Sequence[Mapping[str, Any]],
    left_out: int,
    training_figure: str | None,
) -> str:
    """Fill the template; all text is escaped, and only the page's script may run."""
    environment = templates(FOLDER)
    style = (FOLDER / "page.css").read_text()
    script = "".join((FOLDER / name).read_text() for name in SCRIPTS)
    return environment.get_template("page.html.j2").render(
        content=content,
        data=data,
        audits=audits,
        left_out=left_out,
        training_figure=training_figure,
        artifacts=ARTIFACTS,
        palette=pictures.palette(),
        target=sound.TARGET_DBFS,
        audible=sound.AUDIBLE_DBFS,
        opus_rate=sound.OPUS_RATE.removesuffix("k"),
        style=style,
        script=script,
        policy=policy(style, script),
    )
