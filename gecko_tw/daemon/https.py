"""Where the certificates of https come from, as the settings say: files, an authority, or made for this machine."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred

from gecko_tw.daemon.acme_renewal import AcmeFiles, AcmeRenewal
from gecko_tw.daemon.certificate_files import CertificateFiles, TlsFiles
from gecko_tw.daemon.dev_certificates import dev_files, dev_names, make_dev_certificate
from gecko_tw.daemon.tls import Pair
from gecko_tw.jobs.repeating import Repeating
from gecko_tw.pools import Pool
from gecko_tw.settings import BadSetting, Settings

ASKED = 1.0
"""Seconds between two looks whether it is time to ask for a certificate."""


@frozen
class Https:
    """What https is served with.

    :ivar files: what is read and shared.
    :ivar renewal: with ``--acme``, and what has it fail soon.
    """

    files: CertificateFiles
    renewal: AcmeRenewal | None = None
    leaving: threading.Event | None = None

    def services(self, reactor: Any, pool: Pool, settings: Settings, renewed: Callable[[], object]) -> list[Service]:
        """What looks after them.

        :param renewed: called in a thread when others are shared; returns when all processes serve them.
        """

        def look() -> None:
            if self.files.look():
                renewed()

        def show(answers: Mapping[str, str], proofs: Mapping[str, Pair]) -> None:
            self.files.prove(answers, proofs)
            renewed()

        def renew() -> None:
            if self.renewal is not None and self.renewal.renew(show):
                look()

        services: list[Service] = []
        if settings.tls_check_interval:
            services.append(Repeating(reactor, pool, "certificates", settings.tls_check_interval, look))
        if self.leaving is not None:
            services.append(_Renewing(reactor, pool, renew, self.leaving))
        return services


class _Renewing(Repeating):
    """Ends soon, whatever the authority does."""

    def __init__(self, reactor: Any, pool: Pool, renew: Callable[[], object], leaving: threading.Event) -> None:
        super().__init__(reactor, pool, "acme", ASKED, renew)
        self._leaving = leaving

    def stopService(self) -> "Deferred[None]":
        self._leaving.set()
        return super().stopService()


def https_for(settings: Settings, fileno: int) -> Https:
    """What the settings say, to be shared in a file of :func:`gecko_tw.daemon.certificates.certificates_file`. Raises BadSetting."""
    now = partial(datetime.now, UTC)
    if settings.tls == "dev":
        made = dev_files(settings)
        prepare = partial(make_dev_certificate, made, dev_names(settings), now)
        pairs = ((made.certificate, made.key),)
        return Https(CertificateFiles(TlsFiles(pairs, settings.tls_client_ca), fileno, now, prepare=prepare))
    if settings.acme:
        return _by_acme(settings, fileno)
    certificates, keys = (list(filter(None, paths)) for paths in (settings.tls_cert, settings.tls_key))
    files = TlsFiles(tuple(zip(certificates, keys, strict=True)), settings.tls_client_ca)
    return Https(CertificateFiles(files, fileno, now, settings.domain))


def _by_acme(settings: Settings, fileno: int) -> Https:
    try:  # certbot's library, which only this needs
        from gecko_tw.daemon.acme_client import Authority
    except ModuleNotFoundError as missing:
        raise BadSetting(
            f"--acme: {missing.name or missing} is not installed: pip install 'gecko-tw[acme]'"
        ) from missing
    now, leaving = partial(datetime.now, UTC), threading.Event()
    folder = Path(settings.data_dir, ".geckos3", "acme").absolute()
    account = folder / f"account-{sha256(settings.acme_directory.encode()).hexdigest()[:8]}.json"
    over_http = settings.redirect_listen != "off"
    authority = Authority(settings.acme_directory, settings.acme, account, over_http, leaving)
    kept = AcmeFiles(folder)
    renewal = AcmeRenewal(kept, tuple(filter(None, settings.acme_domain)), authority.issue, now)
    files = TlsFiles(((kept.certificate, kept.key),), settings.tls_client_ca)
    return Https(CertificateFiles(files, fileno, now, settings.domain, renewal.prepare), renewal, leaving)
