"""Server access logs as whoever reads them takes them apart."""

import re

FIELDS = (
    "owner bucket time address requester request_id operation key uri status error sent size total turned referer agent version_id"
    " host_id signature cipher authentication host tls access_point acl_required"
).split()
_FIELD = re.compile(r'\[[^\]]*\]|"[^"]*"|[^ "]+')


def parsed(line: str) -> dict[str, str]:
    """The fields of one line; quotation marks and brackets are taken away."""
    found = _FIELD.findall(line)
    assert " ".join(found) == line
    assert len(found) == len(FIELDS), line
    return dict(zip(FIELDS, (field.strip('"[]') for field in found), strict=True))


def parsed_all(body: bytes) -> list[dict[str, str]]:
    """The lines of an object."""
    assert body.endswith(b"\n")
    return [parsed(line) for line in body.decode("ascii").removesuffix("\n").split("\n")]
