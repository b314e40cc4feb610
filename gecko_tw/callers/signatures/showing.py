"""What was signed, as it may be shown to whoever looks for the mistake: error documents end up in logs, so no secrets in them."""

from base64 import b64decode

SECRETS = frozenset(
    (
        b"x-amz-security-token",
        b"x-amz-server-side-encryption-customer-key",
        b"x-amz-copy-source-server-side-encryption-customer-key",
    )
)
"""Headers, and parameters that stand for them, whose values let others act as the sender or read what is encrypted."""

_MASK = b"***"


def without_secrets(signed: bytes) -> bytes:
    """A canonical request, or a string to sign, with the values of SECRETS replaced, in its headers and in its query."""
    return b"\n".join(map(_line, signed.split(b"\n")))


def policy_without_secrets(policy: str) -> str:
    """The policy of a form as it was signed, or a mask when it has a condition on one of SECRETS."""
    try:
        plain = b64decode(policy).lower()
    except ValueError:
        return policy
    return _MASK.decode() if has_secrets(plain) else policy


def has_secrets(text: bytes) -> bool:
    """Whether a text in lower case names one of SECRETS."""
    return any(name in text for name in SECRETS)


def _line(line: bytes) -> bytes:
    name = line.partition(b":")[0]
    if name.lower() in SECRETS:
        return name + b":" + _MASK
    path, mark, query = line.rpartition(b"?")
    return path + mark + b"&".join(map(_pair, query.split(b"&")))


def _pair(pair: bytes) -> bytes:
    name = pair.partition(b"=")[0]
    return name + b"=" + _MASK if name.lower() in SECRETS else pair
