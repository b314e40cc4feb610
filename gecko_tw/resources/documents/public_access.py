"""The document of a public access block. Pure."""

from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.documents import markup
from gecko_tw.resources.gates.access_settings import BLOCKS

_SPELLED = {"true": True, "false": False}


def read_block(document: bytes) -> dict[str, bool]:
    """The switches of a PublicAccessBlockConfiguration. Raises MalformedXML."""
    root = markup.read(document, "PublicAccessBlockConfiguration").only(BLOCKS)
    values = {name: (root.get(name) or "false").strip().lower() for name in BLOCKS}
    if not all(value in _SPELLED for value in values.values()):
        raise MalformedXML
    return {name: _SPELLED[value] for name, value in values.items()}
