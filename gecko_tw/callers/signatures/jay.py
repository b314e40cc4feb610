"""Presigned URLs as Jay makes them: ``X-Jay-Token``, ``X-Jay-Expires`` and ``X-Jay-Signature`` in the query, signed by the server's secret.

Source: Jay's README, "Presigned URLs". What is signed has one line each for the token's id, the method, the decoded path, the other
parameters in order, and the end in seconds since 1970; the signature is its HMAC-SHA256 in hex.
"""

import hmac
from hashlib import sha256
from urllib.parse import quote, quote_plus, unquote_to_bytes

from gecko_tw.callers.refusals import Unproven, WrongSecret
from gecko_tw.callers.signatures.presigned import LONGEST, decoded_query
from gecko_tw.wire.head import Head

_TOKEN, _EXPIRES, _SIGNATURE = b"X-Jay-Token", b"X-Jay-Expires", b"X-Jay-Signature"
_OWN = (_TOKEN, _EXPIRES, _SIGNATURE)
_MESSAGE = "Invalid presigned URL"

Pairs = list[tuple[bytes, bytes]]


def is_of_jay(query: bytes) -> bool:
    """Whether a raw query carries such a signature, or a part of one."""
    return b"X-Jay-" in query and not decoded_query(query).keys().isdisjoint(_OWN)


def link(secret: bytes, token: str, method: str, path: bytes, until: int) -> str:
    """The target of a URL for one path.

    :param token: the access key id whose permissions count.
    :param path: not encoded, with its slash at the beginning.
    :param until: seconds since 1970.
    """
    signature = _signature(secret, token.encode(), method, path, [], b"%d" % until)
    query = f"X-Jay-Token={quote_plus(token)}&X-Jay-Expires={until}&X-Jay-Signature={signature}"
    return f"{quote(path, safe='/-_.~')}?{query}"


def proven_token(head: Head, secret: bytes, now: float) -> str:
    """The access key id that a URL was made for.

    The host is not signed: who calls this sees to it that it does not name a bucket.

    :param now: seconds since 1970.
    :raises WrongSecret: the signature is not ours.
    :raises Unproven: the URL is not whole, is over, or is good for more than seven days.
    """
    pairs = _pairs(head.query)
    own = [(name, value) for name, value in pairs if name in _OWN]
    given = dict(own)
    if len(own) != len(_OWN) or len(given) != len(_OWN):
        raise Unproven(_MESSAGE)
    expires, rest = given[_EXPIRES], [pair for pair in pairs if pair[0] not in _OWN]
    if not (expires.isdigit() and len(expires) <= 12):
        raise Unproven(_MESSAGE)
    wanted = _signature(secret, given[_TOKEN], head.method, unquote_to_bytes(head.path), rest, expires)
    if not hmac.compare_digest(wanted.encode(), given[_SIGNATURE]):
        raise WrongSecret(_MESSAGE)
    if not now <= int(expires) <= now + LONGEST:
        raise Unproven(_MESSAGE)
    return given[_TOKEN].decode("utf-8", "replace")


def refusal_of_token() -> Unproven:
    """What is raised for the URL of a token that is there no longer, or has ended."""
    return Unproven(_MESSAGE)


def _pairs(query: bytes) -> Pairs:
    """All parameters, decoded."""
    found = []
    for part in query.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            found.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return found


def _signature(secret: bytes, token: bytes, method: str, path: bytes, rest: Pairs, expires: bytes) -> str:
    query = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in sorted(rest))
    text = b"\n".join([token, method.encode(), path, query.encode(), expires])
    return hmac.new(secret, text, sha256).hexdigest()
