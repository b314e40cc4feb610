"""Words and moments as MinIO's administration writes them."""

from gecko_tw.callers.accounts.changes import time_text
from gecko_tw.store.refusals import InvalidArgument

ENABLED, DISABLED = "enabled", "disabled"
ON, OFF = "on", "off"
"""What access keys are, beside users and groups."""

UNKNOWN_TIME = "0001-01-01T00:00:00Z"
"""What programs in Go have for a moment that nobody has set."""

NEVER = "1970-01-01T00:00:00Z"
"""When a key expires that does not."""


def status(enabled: bool) -> str:
    """The status of a user or a group."""
    return ENABLED if enabled else DISABLED


def is_enabled(text: str) -> bool:
    """A status as it is read. Raises InvalidArgument."""
    if text not in (ENABLED, DISABLED, ON, OFF):
        raise InvalidArgument(f"A status is {ENABLED} or {DISABLED}.", ArgumentName="status")
    return text in (ENABLED, ON)


def time_of(seconds: float) -> str:
    """A moment, in seconds since 1970; 0 when nobody knows it."""
    return time_text(seconds) if seconds else UNKNOWN_TIME
