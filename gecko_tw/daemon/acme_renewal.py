"""A certificate of ``--acme``: when it is asked for, and where it is kept. Every method blocks."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from attrs import frozen
from cryptography import x509
from twisted.logger import Logger

from gecko_tw.daemon.signing import alternatives, self_signed, write_file
from gecko_tw.daemon.tls import Pair
from gecko_tw.settings import BadSetting

LATE = 3
"""A certificate of which less than this part of its time is left is renewed."""
CHECKED = timedelta(minutes=1)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=6)
"""Between two attempts that fail, twice as long each time: authorities count failures."""

Show = Callable[[Mapping[str, str], Mapping[str, Pair]], object]
"""Given answers and proofs, as of a Bundle; when it returns, all processes show them."""

_log = Logger()


class AcmeFailed(Exception):  # noqa: N818 - named for what it tells
    """There is no certificate now. Its text says why, in one line."""


@frozen
class AcmeFiles:
    """The files, all in one folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def key(self) -> Path:
        return self.folder / "certificate.key"


class AcmeRenewal:
    """Keeps a certificate for these names.

    :param issue: asks the authority, given names and what shows proofs; returns certificate and key as PEM. Raises AcmeFailed.
    :param clock: tells the time in UTC.
    """

    def __init__(
        self,
        files: AcmeFiles,
        names: tuple[str, ...],
        issue: Callable[[tuple[str, ...], Show], tuple[str, bytes]],
        clock: Callable[[], datetime],
    ) -> None:
        self._files, self._names, self._issue, self._clock = files, names, issue, clock
        self._next: datetime | None = None
        self._wait = FIRST_WAIT

    def prepare(self) -> None:
        """Something must be served while the authority looks: a certificate that nobody trusts, until there is one. Raises BadSetting."""
        if self._files.certificate.exists() and self._files.key.exists():
            return
        try:
            certificate, key = self_signed(self._names)
            write_file(self._files.key, key, 0o600)
            write_file(self._files.certificate, certificate, 0o644)
        except OSError as wrong:
            raise BadSetting(f"--acme: {self._files.folder} cannot be written to ({wrong.strerror})") from wrong

    def renew(self, show: Show) -> bool:
        """Asks for a certificate when it is time to; returns whether there is another one now."""
        now = self._clock()
        if self._next is not None and now < self._next:
            return False
        if not self._due(now):
            self._next, self._wait = now + CHECKED, FIRST_WAIT
            return False
        _log.info("a certificate is asked for: {names}", names=" ".join(self._names))
        try:
            certificate, key = self._issue(self._names, show)
            write_file(self._files.key, key, 0o600)
            write_file(self._files.certificate, certificate.encode(), 0o644)
        except (AcmeFailed, OSError) as wrong:
            self._next = self._clock() + self._wait
            _log.error(
                "--acme: no certificate for {names}, what is there is served on; asked again in {minutes} minutes: {why}",
                names=" ".join(self._names),
                minutes=int(self._wait.total_seconds() / 60),
                why=str(wrong),
            )
            self._wait = min(LONGEST_WAIT, self._wait * 2)
            return False
        self._next, self._wait = self._clock() + CHECKED, FIRST_WAIT
        return True

    def _due(self, now: datetime) -> bool:
        """Whether there is none, one for other names, one of our own making, or one that ends soon."""
        try:
            found = x509.load_pem_x509_certificate(self._files.certificate.read_bytes())
            names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, x509.ExtensionNotFound):
            return True
        late = (found.not_valid_after_utc - now) * LATE < found.not_valid_after_utc - found.not_valid_before_utc
        return late or found.issuer == found.subject or set(names) != set(alternatives(self._names))
