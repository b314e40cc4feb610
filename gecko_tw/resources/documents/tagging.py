"""Tags as S3's XML. Pure."""

from collections.abc import Mapping

from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.documents import markup
from gecko_tw.resources.documents.markup import Element, element, texts
from gecko_tw.store.rules.tags import check_tags


def read_tagging(document: bytes, limit: int) -> dict[str, str]:
    """The tags of a ``Tagging`` document; none when it has no set of them, as SDKs write an empty one.

    :raises MalformedXML, InvalidTag: as S3 does.
    """
    sets = list(markup.read(document, "Tagging").only(("TagSet",)))
    if len(sets) > 1:
        raise MalformedXML
    return tags_in(sets[0], limit) if sets else {}


def tags_in(tag_set: Element, limit: int) -> dict[str, str]:
    """The tags that an element lists. Raises MalformedXML, InvalidTag."""
    found = [tag.only(("Key", "Value")) for tag in tag_set.only(("Tag",))]
    return check_tags([(tag.need("Key"), tag.need("Value")) for tag in found], limit)


def write_tagging(tags: Mapping[str, str]) -> bytes:
    """The document of a set of tags, by key: a set has no order, so clients get the one that can be compared."""
    lines = "".join(element("Tag", texts({"Key": key, "Value": value})) for key, value in sorted(tags.items()))
    return markup.document("Tagging", element("TagSet", lines))
