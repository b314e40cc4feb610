"""Where the certificates of https come from, as the settings say: files, or made for this machine."""

from datetime import UTC, datetime
from functools import partial

from gecko_tw.daemon.certificate_files import CertificateFiles, TlsFiles
from gecko_tw.daemon.dev_certificates import dev_files, dev_names, make_dev_certificate
from gecko_tw.settings import Settings


def certificates_for(settings: Settings, fileno: int) -> CertificateFiles:
    """What reads them and shares them in a file of :func:`gecko_tw.daemon.certificates.certificates_file`."""
    now = partial(datetime.now, UTC)
    if settings.tls == "dev":
        made = dev_files(settings)
        prepare = partial(make_dev_certificate, made, dev_names(settings), now)
        pairs = ((made.certificate, made.key),)
        return CertificateFiles(TlsFiles(pairs, settings.tls_client_ca), fileno, now, prepare=prepare)
    certificates, keys = (list(filter(None, paths)) for paths in (settings.tls_cert, settings.tls_key))
    files = TlsFiles(tuple(zip(certificates, keys, strict=True)), settings.tls_client_ca)
    return CertificateFiles(files, fileno, now, settings.domain)
