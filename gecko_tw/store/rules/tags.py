"""What tags may be (S3 User Guide, "Categorizing your objects using tags" and "Using cost allocation S3 bucket tags")."""

from unicodedata import category

from gecko_tw.store.refusals import InvalidTag, TooManyTags

OF_OBJECT, OF_BUCKET = 10, 50
"""How many tags an object and a bucket may have."""

MAX_KEY, MAX_VALUE = 128, 256
"""Characters of a tag's key and value."""

_TOO_MANY = {
    OF_OBJECT: "Object tags cannot be greater than 10",
    OF_BUCKET: "Bucket tag count cannot be greater than 50",
}
_ALLOWED = frozenset("+-=._:/@")


def check_tags(pairs: list[tuple[str, str]], limit: int) -> dict[str, str]:
    """Tags in the order given, within S3's limits.

    :param limit: ``OF_OBJECT`` or ``OF_BUCKET``.
    :raises TooManyTags: always when they are.
    :raises InvalidTag: a key twice; a key or value that is too long or has characters that tags cannot have; or a key that is reserved
        for the system.
    """
    if len(pairs) > limit:
        raise TooManyTags(_TOO_MANY[limit])
    for key, value in pairs:
        if not 1 <= len(key) <= MAX_KEY or not _allowed(key):
            raise InvalidTag("The TagKey you have provided is invalid", TagKey=key)
        if len(value) > MAX_VALUE or not _allowed(value):
            raise InvalidTag("The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        if key[:4].lower() == "aws:":
            raise InvalidTag("Your TagKey cannot be prefixed with aws:", TagKey=key)
    tags = dict(pairs)
    if len(tags) < len(pairs):
        raise InvalidTag("Cannot provide multiple Tags with the same key")
    return tags


def _allowed(text: str) -> bool:
    """Letters, digits and spaces of any script, and a few signs."""
    return all(char.isalnum() or char in _ALLOWED or category(char)[0] == "Z" for char in text)
