"""What could not be read when everything was looked through: it is told once, and nothing else waits for it."""

import logging
import os

log = logging.getLogger(__name__)


class Unreadable:
    """What one look has passed over.

    :ivar places: paths below the data directory, each with the reason.
    """

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def __call__(self, path: bytes, why: object) -> None:
        """Passes something over. What is in a directory that is known already is not told again."""
        above = text = os.fsencode(path).decode("utf-8", "backslashreplace")
        while above and above not in self.places:
            above = above.rpartition("/")[0]
        if not above:
            reason = why.strerror if isinstance(why, OSError) and why.strerror else str(why)
            self.places[text] = reason
            log.error("%s cannot be read and is passed over: %s", text, reason)
