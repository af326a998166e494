"""Cards of audits on the page: each verdict, and a link to the audit's own page."""

from collections.abc import Mapping, Sequence
from typing import Any

from upsampling.files import content_of, read_json


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
