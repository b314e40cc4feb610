"""What there is to be told of scrubs and of the quarantine, in numbers."""

from gecko_tw.store.integrity.quarantine import Quarantine
from gecko_tw.store.integrity.scrub import KIND, LAST, TOTALS

_NUMBERS = {
    "read": ("scrub_read_versions", "Versions and parts that scrubs have read."),
    "bytes": ("scrub_read_bytes", "Bytes that scrubs have read."),
    "unknown": ("scrub_unverifiable_versions", "Of them, those that nothing tells of whether they are whole."),
    "damaged": ("scrub_damaged_versions", "Damaged versions and parts that scrubs have found."),
}


def figures(quarantine: Quarantine) -> dict[str, tuple[str, float]]:
    """What each number is, and the number, by name. Blocks."""
    documents = quarantine.documents
    totals = documents.get(KIND, TOTALS) or {}
    found: dict[str, tuple[str, float]] = {
        name: (text, totals.get(field, 0)) for field, (name, text) in _NUMBERS.items()
    }
    ended = [value["ended"] for name, value in documents.all(KIND) if name.startswith(f"{LAST}/")]
    found["scrub_ended_seconds"] = ("When the last pass of a scrub ended, since 1970.", max(ended, default=0) / 10**9)
    found["quarantined_versions"] = ("Versions in quarantine.", sum(1 for _ in quarantine.held()))
    return found
