"""The key management that encryption uses."""

from zope.interface import Interface


class IKeyManagement(Interface):
    """Keys that wrap data keys (SSE-S3, SSE-KMS). Every method may block, and be called from any thread."""

    def new_data_key(key_id: str, context: str) -> tuple[bytes, str]:
        """A new data key, wrapped in the key ``key_id`` and bound to ``context``: ``(32 bytes, text that opens it again)``.

        Raises KeyNotFound.
        """

    def open_data_key(key_id: str, sealed: str, context: str) -> bytes:
        """The 32 bytes that :meth:`new_data_key` wrapped. Raises KeyNotFound, which also says that the text is none of this key's."""
