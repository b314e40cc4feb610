"""What differs between what a caller signed and what came here, as far as that can be told: host, time, headers. Pure."""

from collections.abc import Iterator

from gecko_tw.store.refusals import Refusal
from gecko_tw.wire.head import Head

_LONGEST = 200


def what_differed(head: Head, refusal: Refusal) -> str:
    """One line for people; empty when nothing can be told.

    :param refusal: one of gecko_tw.resources.gates.logins.FAILURES.
    """
    return "; ".join(_differences(head, refusal))


def _differences(head: Head, refusal: Refusal) -> Iterator[str]:
    details = refusal.details
    if "RequestTime" in details and "ServerTime" in details:
        yield f"time: it says {_short(details['RequestTime'])}, here it is {details['ServerTime']}"
    if "HeadersNotSigned" in details:
        yield f"header: {_short(details['HeadersNotSigned'])} came and was not signed"
    if "Region" in details:
        yield f"region: this server is in {_short(details['Region'])}"
    if "CanonicalRequest" in details:
        missing = [
            name for name in _signed(details["CanonicalRequest"]) if name.encode("utf-8", "replace") not in head.headers
        ]
        if missing:
            yield f"header: {_short(', '.join(missing))} was signed and did not come"
        yield f"host: {_short(head.header(b'host') or 'none')} came, tried was {_short(details.get('HostsTried', ''))}"
        yield "else the secret, or what a proxy changed of path, query or a signed header"


def _signed(canonical: str) -> list[str]:
    """The names of the signed headers in a canonical request: its last line but one."""
    lines = canonical.split("\n")
    return [name for name in lines[-2].split(";") if name] if len(lines) > 1 else []


def _short(text: str) -> str:
    text = text[:_LONGEST]
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
