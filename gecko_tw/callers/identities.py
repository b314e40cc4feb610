"""Who may ask: key pairs and where they are found, and the :class:`Caller` that authentication makes of a request."""

from collections.abc import Mapping

from attrs import field, frozen
from zope.interface import Interface, implementer

from gecko_tw.callers.payloads import UNSIGNED_PAYLOAD
from gecko_tw.callers.signature_v4 import ChunkSigner


@frozen(kw_only=True)
class Identity:
    """A key pair and whose it is.

    :ivar account: the owner's canonical name, as in ``<Owner><ID>``.
    :ivar display_name: the owner's name for people.
    :ivar root: whether every operation is permitted.
    """

    access_key: str
    secret: str = field(repr=False)
    account: str = ""
    display_name: str = ""
    root: bool = False


class IIdentities(Interface):
    """Where key pairs are found. Called on the reactor thread for every signed request: must not block."""

    def find(access_key: str):  # type: ignore[no-untyped-def]
        """The :class:`Identity` of an access key, or None."""


@implementer(IIdentities)
class OnePair:
    """A single, all-powerful key pair; any strings will do.

    :param account: the owner's canonical name; the access key by default.
    """

    def __init__(self, access_key: str, secret: str, account: str = "") -> None:
        name = account or access_key
        self._identity = Identity(access_key=access_key, secret=secret, account=name, display_name=name, root=True)

    def find(self, access_key: str) -> Identity | None:
        """The Identity when it is this pair's access key."""
        return self._identity if access_key == self._identity.access_key else None


@frozen(kw_only=True, eq=False)
class Caller:
    """Who asks, and what the request says about its body.

    :ivar identity: None for anonymous requests and while authentication is switched off.
    :ivar kind: ``"header"``, ``"presigned"``, ``"form"``, ``"anonymous"`` or ``"open"`` (authentication switched off).
    :ivar payload: the effective ``x-amz-content-sha256``: a SHA-256 in lower-case hex, or one of the four words of
        ``callers/payloads.py``; nothing else.
    :ivar chunks: verifies the chunk signatures of the two signed streaming forms; None for other payloads, and for kind ``open``.
    :ivar hoisted: what a presigned URL carries in its query but means as headers: lower-case ``x-amz-*`` name to decoded
        value, bytes as in ``Head.headers``. Checksums are left out: S3 ignores those. A header of the same name wins.
    """

    identity: Identity | None = None
    kind: str = "anonymous"
    payload: str = UNSIGNED_PAYLOAD
    chunks: ChunkSigner | None = None
    hoisted: Mapping[bytes, bytes] = field(factory=dict)

    @property
    def streaming(self) -> bool:
        """Whether the body is framed as aws-chunked."""
        return self.payload.startswith("STREAMING-")

    @property
    def digest(self) -> bytes | None:
        """The raw SHA-256 that the body must have, or None when it was not given."""
        return bytes.fromhex(self.payload) if len(self.payload) == 64 else None
