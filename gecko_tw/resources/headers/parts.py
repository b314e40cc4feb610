"""Numbers of parts, as requests name them."""

from gecko_tw.store.refusals import InvalidArgument


def part_number(text: str) -> int:
    """A part's number, 1 to 10,000. Raises InvalidArgument."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and 1 <= int(text) <= 10_000):
        raise InvalidArgument(
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=text,
        )
    return int(text)
