"""The section of Jay's configuration file that says how it scrubs, read as settings of ours."""

from gecko_tw.settings.entries import Entry

SCRUB = "scrub"
"""Its name."""

KEYS = {
    "interval_hours": "scrub_interval",
    "sample_rate": "scrub_sample_rate",
    "bytes_per_sec": "scrub_bytes_per_second",
    "max_per_run": "scrub_max_per_run",
}
"""Jay's keys and our settings."""


def scrub_texts(section: Entry) -> dict[str, tuple[Entry, str]]:
    """The entries of the section and the texts that our settings are read from, by the settings' names. Raises BadSetting."""
    found = {}
    for key, entry in section.keys(*KEYS).items():
        found[KEYS[key]] = entry, entry.text() + ("h" if key == "interval_hours" else "")
    return found
