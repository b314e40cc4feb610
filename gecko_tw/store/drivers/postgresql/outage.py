"""What keeps bytes elsewhere may be away: that is told once, and whoever asks meanwhile does not wait for it."""

import logging
import time
from threading import Lock

from gecko_tw.store.refusals import ServiceUnavailable

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds after a failure to reach it in which nobody tries again; then one does, and the others are refused until it is back."""


class Outage:
    """Whether something answers, as the last who asked it found.

    :param what: its name in the log.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = Lock()
        self._not_before = 0.0
        self.text = ""

    def admit(self) -> None:
        """Called before asking. Raises ServiceUnavailable while it is known not to be reached."""
        if not self._not_before:
            return
        with self._lock:
            now = time.monotonic()
            if now < self._not_before:
                raise ServiceUnavailable
            self._not_before = now + PAUSE

    def begun(self, why: str, unreachable: bool) -> ServiceUnavailable:
        """The refusal for whoever has asked in vain.

        :param unreachable: nothing answered, so that others need not try at once.
        """
        with self._lock:
            if unreachable:
                self._not_before = time.monotonic() + PAUSE
            told, self.text = bool(self.text), why
        if not told:
            log.error("%s cannot be used: %s", self._what, why)
        return ServiceUnavailable()

    def over(self) -> None:
        """Called when it has answered."""
        if not self.text:
            return
        with self._lock:
            self.text, self._not_before = "", 0.0
        log.info("%s can be used again", self._what)
