"""Encoded words of mail headers, which clients put metadata into that is not ASCII (RFC 2047). Pure."""

import re
from base64 import b64decode
from quopri import decodestring

_WORD = r"=\?([^?\s]+)\?([bBqQ])\?([^?\s]*)\?="
_WORDS = re.compile(_WORD + rf"(?:[ \t]+(?={_WORD}))?")
"""A word, and the space between it and the next one: that only keeps them apart."""


def decoded(text: str) -> str:
    """A text with its encoded words read. The text itself when it has none; a word that cannot be read stays as it came."""
    return _WORDS.sub(_read, text) if "=?" in text else text


def _read(word: re.Match[str]) -> str:
    charset, kind, payload = word.group(1, 2, 3)
    try:
        raw = b64decode(payload, validate=True) if kind in "bB" else decodestring(payload.encode(), header=True)
        text = raw.decode(charset.partition("*")[0])
        text.encode()  # what has no UTF-8 cannot be kept
    except (ValueError, LookupError):
        return word.group()
    return text
