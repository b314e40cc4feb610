"""Secrets at rest: sealed by AES-256-GCM under a key that is itself sealed under the deployment's encryption key.

So a change of the encryption key rewrites one document, and no cut of power can leave half of them under another key.
"""

import hmac
import os
import secrets
import stat
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gecko_tw.settings.kinds import KEY_BYTES, key_of
from gecko_tw.store.drivers.interfaces import IDocuments

KIND, NAME = "sealing", "key"
"""The document that holds the sealed key."""

_NONCE = 12
_CONTEXT = "geckos3 sealing key"


class WrongKey(Exception):  # noqa: N818 - named for what it tells
    """What was sealed does not open: another key sealed it, or it was changed."""


class Sealer:
    """Seals and opens texts.

    :param key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key, self._cipher = key, AESGCM(key)

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one other purpose: always the same, and nothing can be told of the key from them (RFC 5869, HKDF's second step)."""
        return hmac.digest(self._key, purpose.encode() + b"\x01", "sha256")

    def seal(self, plaintext: str, context: str) -> str:
        """A text that only ``open`` with the same context turns back."""
        nonce = secrets.token_bytes(_NONCE)
        return b64encode(nonce + self._cipher.encrypt(nonce, plaintext.encode(), context.encode())).decode("ascii")

    def open(self, sealed: str, context: str) -> str:
        """What was sealed. Raises WrongKey."""
        try:
            raw = b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], context.encode()).decode()
        except (InvalidTag, ValueError):
            raise WrongKey("it was sealed with another key, or changed") from None


def new_key() -> str:
    """A new encryption key as base64."""
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def sealing_key(documents: IDocuments, key: bytes) -> bytes:
    """The key of the deployment's Sealer: never another one, however often the encryption key changes. The first time it is made.

    :param key: the encryption key.
    :raises WrongKey: another encryption key sealed it.
    """
    outer = Sealer(key)
    made = outer.seal(b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii"), _CONTEXT)
    kept = documents.get(KIND, NAME) or documents.change(KIND, NAME, lambda found: found or {"key": made})
    return b64decode(outer.open(kept["key"], _CONTEXT))


def is_sealed(documents: IDocuments) -> bool:
    """Whether an encryption key is in use already, so that no other will do."""
    return documents.get(KIND, NAME) is not None


def rekey(documents: IDocuments, old: bytes, new: bytes) -> None:
    """From now on the new encryption key opens everything, and the old one nothing. Raises WrongKey; nothing is changed then."""

    def rule(kept: Any) -> Any:
        if kept is None:
            return None
        return resealed(kept, Sealer(old), Sealer(new))

    documents.change(KIND, NAME, rule)


def resealed(kept: Any, old: Sealer, new: Sealer) -> Any:  # a document
    """The document that holds the sealed key, under another encryption key. Raises WrongKey."""
    return {"key": new.seal(old.open(kept["key"], _CONTEXT), _CONTEXT)}


class KeyFile:
    """The encryption key of a deployment that was told none: a file only its owner may read.

    :param path: its place; beside it ``<path>.new`` stands while the key is being changed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = path.with_name(path.name + ".new")

    def read(self, make: bool = True) -> tuple[bytes, bool]:
        """The key, and whether it was made now. Raises PermissionError when others may read it, ValueError when it is no key.

        :param make: whether a missing one is made; False raises FileNotFoundError instead.
        """
        made = make and not self._path.exists() and self._write(self._path, new_key())
        return self._checked(self._path), made

    def put(self, text: str) -> None:
        """Puts a key in its place that was elsewhere, as base64, unless there is one. Raises OSError, ValueError: it is no key."""
        key_of(text)
        self._write(self._path, text)

    def begin_change(self) -> tuple[bytes, bytes]:
        """The present key and the next one, which is on the disk already."""
        present, _ = self.read()
        if not self._next.exists():
            self._write(self._next, new_key())
        return present, self._checked(self._next)

    def pending(self) -> bytes | None:
        """The next key, when a change was begun and not ended."""
        try:
            return self._checked(self._next)
        except FileNotFoundError:
            return None

    def end_change(self) -> None:
        """The next key is the present one."""
        try:
            os.replace(self._next, self._path)
        except FileNotFoundError:
            return  # another process that opened the directory was quicker
        self._sync_folder()

    def _checked(self, path: Path) -> bytes:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise PermissionError(f"{path} can be read by others: its mode must be 0600")
        try:
            return key_of(path.read_text("ascii").strip())
        except ValueError:
            raise ValueError(f"{path} holds no key of 32 bytes as base64") from None

    def _write(self, path: Path, text: str) -> bool:
        """Writes a file whole and on the disk, or not at all; False when another process was quicker."""
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, path)
        except FileExistsError:
            return False
        finally:
            fresh.unlink(missing_ok=True)
        self._sync_folder()
        return True

    def _sync_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
