"""The main process's side of certificates: files are read, looked at again, and what is near its end is told."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from attrs import evolve, frozen
from twisted.logger import Logger

from gecko_tw.daemon.certificates import Bundle, Certificate, contexts_of, share, shared
from gecko_tw.daemon.tls import Pair, read_authorities, read_pair, warn_of_readable
from gecko_tw.settings import BadSetting

THIRD = 3
"""A certificate of which less than this part of its time is left should have been renewed."""
REMINDED = timedelta(days=1)

Clock = Callable[[], datetime]
"""Tells the time in UTC."""
_Fingerprint = tuple[tuple[int, int, int] | None, ...]
_log = Logger()


@frozen
class TlsFiles:
    """Where certificates are.

    :ivar pairs: paths of a certificate and of its key.
    :ivar client_ca: the authorities of clients, when they must show certificates.
    """

    pairs: tuple[tuple[Path, Path], ...]
    client_ca: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them."""
        authorities = () if self.client_ca is None else (self.client_ca,)
        return tuple(path for pair in self.pairs for path in pair) + authorities


class CertificateFiles:
    """Files of certificates; every method blocks.

    :param fileno: where what was read is shared, as :func:`gecko_tw.daemon.certificates.certificates_file` made it.
    :param domain: of ``--domain``: somebody is told when no certificate is for it and its buckets.
    :param prepare: called before the files are looked at; may make them. Raises BadSetting.
    """

    def __init__(
        self, files: TlsFiles, fileno: int, clock: Clock, domain: str = "", prepare: Callable[[], object] | None = None
    ) -> None:
        self._files, self._fileno, self._clock, self._domain = files, fileno, clock, domain
        self._prepare = prepare
        self._one_at_a_time = Lock()
        self._answers: Mapping[str, str] = {}
        self._proofs: Mapping[str, Pair] = {}
        self._seen: _Fingerprint = ()
        self._wrong: _Fingerprint = ()
        self._certificates: tuple[Certificate, ...] = ()
        self._reminded: datetime | None = None

    @property
    def made(self) -> bool:
        """Whether they are made in the data directory, which must be open for it."""
        return self._prepare is not None

    def read(self) -> None:
        """Reads the files and shares what they hold. Raises BadSetting, and what was shared before stays."""
        with self._one_at_a_time:
            if self._prepare is not None:
                self._prepare()
            self._read(self._fingerprint())

    def prove(self, answers: Mapping[str, str], proofs: Mapping[str, Pair]) -> None:
        """Shares what a certificate authority will look for, in place of what it was to find before; see Bundle."""
        with self._one_at_a_time:
            self._answers, self._proofs = answers, proofs
            share(self._fileno, evolve(shared(self._fileno), answers=answers, proofs=proofs))

    def look(self) -> bool:
        """Reads the files again if they have changed; returns whether others are shared now. Files that are wrong are told once."""
        with self._one_at_a_time:
            return self._look()

    def _look(self) -> bool:
        if self._prepare is not None:
            self._prepare()
        found = self._fingerprint()
        if found == self._seen:
            self._remind()
            return False
        try:
            self._read(found)
            _log.info("other certificates are served from now on")
        except BadSetting as wrong:
            # Whoever renews writes one file after the other: what does not fit yet is looked at again before anybody hears of it.
            if found == self._wrong:
                self._seen = found
                _log.error("the certificates that were served before stay: {why}", why=str(wrong))
            self._wrong = found
            return False
        return True

    def _fingerprint(self) -> _Fingerprint:
        return tuple(map(_state, self._files.paths))

    def _read(self, fingerprint: _Fingerprint) -> None:
        authorities = "" if self._files.client_ca is None else read_authorities(self._files.client_ca)
        pairs = tuple(read_pair(*pair) for pair in self._files.pairs)
        bundle = Bundle(pairs, authorities, self._answers, self._proofs)
        certificates = contexts_of(bundle).certificates
        share(self._fileno, bundle)
        self._seen, self._certificates, self._reminded = fingerprint, certificates, self._clock()
        for _certificate, key in self._files.pairs:
            warn_of_readable(key)
        for one in certificates:
            self._tell(one)
        for name in (self._domain, f"bucket.{self._domain}") if self._domain else ():
            if not any(one.covers(name) for one in certificates):
                wanted = name.replace("bucket.", "*.", 1)
                _log.warn("no certificate is for {name}, which --domain makes clients ask for", name=wanted)

    def _remind(self) -> None:
        """Tells once a day of each certificate that should have been renewed."""
        now = self._clock()
        if self._reminded is not None and now - self._reminded < REMINDED:
            return
        self._reminded = now
        for one in self._certificates:
            if _is_late(one, now):
                self._tell(one)

    def _tell(self, one: Certificate) -> None:
        now = self._clock()
        days, date, names = one.days_left(now), one.ends.date().isoformat(), " ".join(one.names)
        if days <= 0:
            _log.error("the certificate {path} for {names} ended on {date}", path=one.path, names=names, date=date)
            return
        tell = _log.warn if _is_late(one, now) else _log.info
        text = "the certificate {path} for {names} ends in {days} days, on {date}"
        tell(text, path=one.path, names=names, days=int(days), date=date)


def _is_late(one: Certificate, now: datetime) -> bool:
    return (one.ends - now) * THIRD < one.ends - one.begins


def _state(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file; None while there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
