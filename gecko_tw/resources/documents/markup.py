"""S3's XML: written as text with everything escaped, and read without trusting it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from lxml import etree

from gecko_tw.resources.answers.refusals import MalformedXML

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'

_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


def escape(text: str) -> str:
    """Text as the content of an element. Characters that XML 1.0 cannot hold become U+FFFD, so it is always well-formed."""
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda match: _ESCAPES.get(match[0], "\ufffd"), text)


def element(name: str, content: str) -> str:
    """An element around content that is already XML."""
    return f"<{name}>{content}</{name}>"


def text(name: str, value: object) -> str:
    """An element with a text, a number, or a boolean in S3's spelling."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    return f"<{name}>{escape(str(value))}</{name}>"


def texts(values: Mapping[str, object]) -> str:
    """One :func:`text` after the other; those that are None are left out."""
    return "".join(text(name, value) for name, value in values.items() if value is not None)


def document(root: str, content: str) -> bytes:
    """A whole document in S3's namespace."""
    return DECLARATION + f'<{root} xmlns="{NAMESPACE}">{content}</{root}>'.encode()


def bare_document(root: str, content: str) -> bytes:
    """A whole document without a namespace: errors, and what answers a form."""
    return DECLARATION + f"<{root}>{content}</{root}>".encode()


def iso_time(nanoseconds: int) -> str:
    """A time as in S3's documents: whole seconds, ``2026-11-21T03:23:00.000Z``."""
    return _iso(nanoseconds // 1_000_000_000)


@lru_cache(4096)
def _iso(seconds: int) -> str:
    hour, rest = divmod(seconds, 3600)
    return f"{_hour(hour)}{rest // 60:02}:{rest % 60:02}.000Z"


@lru_cache(1024)
def _hour(hour: int) -> str:
    """The hour since 1970 as an ISO time begins. Apart, because keys that follow one another were often written so."""
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%dT%H:")


class Element:
    """An element of a document that a client sent, whatever namespace it used."""

    __slots__ = ("_node", "name")

    def __init__(self, node: "etree._Element") -> None:
        self._node = node
        self.name: str = etree.QName(node).localname

    def __iter__(self) -> Iterator["Element"]:
        return (Element(child) for child in self._node)

    def all(self, name: str) -> list["Element"]:
        """The children of that name."""
        return [child for child in self if child.name == name]

    @property
    def text(self) -> str:
        """The text, exactly. Raises MalformedXML when there are elements inside."""
        if len(self._node):
            raise MalformedXML
        return self._node.text or ""

    def get(self, name: str) -> str | None:
        """The text of the only child of that name, or None. Raises MalformedXML when it is there more than once."""
        found = self.all(name)
        if len(found) > 1:
            raise MalformedXML
        return found[0].text if found else None

    def need(self, name: str) -> str:
        """The same. Raises MalformedXML when it is absent."""
        value = self.get(name)
        if value is None:
            raise MalformedXML
        return value

    def only(self, names: Iterable[str]) -> "Element":
        """Itself. Raises MalformedXML when it has other children."""
        allowed = frozenset(names)
        if any(child.name not in allowed for child in self):
            raise MalformedXML
        return self


def read(body: bytes, root: str) -> Element:
    """The root element of a document.

    Document types, entities and anything outside the document are refused: no text can make the parser fetch or grow.

    :raises MalformedXML: not well-formed, has a document type, or another root.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        node = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise MalformedXML from None
    if node.getroottree().docinfo.doctype:
        raise MalformedXML
    found = Element(node)
    if found.name != root:
        raise MalformedXML
    return found
