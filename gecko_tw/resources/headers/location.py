"""The URL of an object, as its client reaches us."""

from urllib.parse import quote_from_bytes

from gecko_tw.resources.call import Call


def location(call: Call, key: bytes | None = None) -> str:
    """The URL of an object, as the client reaches us. ``key`` when it is not the addressed one."""
    scheme = "https" if call.head.secure else "http"
    path = quote_from_bytes(call.key if key is None else key, safe="/~")
    front = call.service.front
    place = "" if front.bucket(call.head) else f"{front.prefix.decode()}/{call.bucket}"
    return f"{scheme}://{call.header(b'host') or 'localhost'}{place}/{path}"
