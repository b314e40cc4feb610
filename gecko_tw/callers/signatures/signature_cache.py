"""Presigned URLs that were found right, remembered: pages show the same picture, and clients repeat the same link, again and again."""

from attrs import frozen

from gecko_tw.callers.accounts.identities import Caller
from gecko_tw.callers.signatures.claims import Claim
from gecko_tw.callers.signatures.presigned import good_for
from gecko_tw.wire.head import Head

MOST = 4096
"""URLs that are remembered, and how many bytes each may have, the headers that came with it included."""
LONGEST = 2048


@frozen(eq=False)
class VerifiedUrl:
    """A URL whose signature is right.

    :ivar headers: those of the request that was found right; ``signed`` are those of them that it covers, with their values.
    :ivar begin: seconds since 1970 from which on it is good, ``end`` those until when.
    :ivar caller: who it stood for then.
    """

    method: str
    headers: dict[bytes, bytes]
    signed: tuple[tuple[bytes, bytes | None], ...]
    begin: float
    end: float
    caller: Caller


class SignatureCache:
    """What is remembered. Whether the key still counts, and for whom, is not: that is asked every time."""

    def __init__(self) -> None:
        self._known: dict[bytes, VerifiedUrl] = {}

    def find(self, head: Head, now: float) -> Caller | None:
        """The caller of a request that is, in all that its signature covers, one that was found right.

        :param now: seconds since 1970.
        """
        proof = self._known.get(head.target)
        if proof is None or proof.method != head.method or not proof.begin <= now <= proof.end:
            return None
        headers, signed = head.headers, 0
        if headers == proof.headers:
            return proof.caller
        for name, value in proof.signed:
            if headers.get(name) != value:
                return None
            # Of one that is signed as absent there is nothing to be counted below.
            signed += value is not None and name.startswith(b"x-amz-")
        # Every header of S3 must be signed: with one more than these it is another request.
        return proof.caller if sum([name.startswith(b"x-amz-") for name in headers]) == signed else None

    def keep(self, head: Head, claim: Claim, parameters: dict[bytes, bytes], caller: Caller) -> None:
        """Remembers a request whose signature was verified; not one whose body is signed chunk by chunk."""
        if caller.chunks is not None:
            return
        signed = tuple((name, head.headers.get(name)) for name in dict.fromkeys(claim.signed.split(b";")))
        if len(head.target) + sum(len(name) + len(value) for name, value in head.headers.items()) > LONGEST:
            return
        if len(self._known) >= MOST:
            self._known.clear()
        begin, end = good_for(parameters)
        self._known[head.target] = VerifiedUrl(head.method, head.headers, signed, begin, end, caller)
