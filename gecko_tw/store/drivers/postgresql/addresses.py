"""Addresses of databases in messages."""

from urllib.parse import urlsplit


def place_of(address: str) -> str:
    """An address without its password, for messages."""
    if "://" not in address:
        return "the database"
    parts = urlsplit(address)
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}{port}{parts.path}"
