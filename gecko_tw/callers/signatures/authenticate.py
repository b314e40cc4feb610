"""Who asks? Chooses between header, presigned URL, form and anonymous, and verifies."""

from collections.abc import Callable, Mapping
from hashlib import sha256

from attrs import evolve, frozen

from gecko_tw.callers.accounts.identities import Caller, Identity, IIdentities
from gecko_tw.callers.refusals import ExpiredToken, InvalidAccessKeyId, InvalidToken, RequestTimeTooSkewed
from gecko_tw.callers.signatures import jay, v2
from gecko_tw.callers.signatures.bearer import bearer_pair, check_secret, without_secret
from gecko_tw.callers.signatures.claims import NO_FRONT, Claim, check_signed_headers, refuse_version_two, verify
from gecko_tw.callers.signatures.form_policy import LengthRange, check_form, form_claim, verify_form
from gecko_tw.callers.signatures.header import header_claim
from gecko_tw.callers.signatures.payloads import (
    SIGNED_CHUNKS,
    SIGNED_CHUNKS_AND_TRAILER,
    UNSIGNED_PAYLOAD,
    payload_of,
    undeclared,
)
from gecko_tw.callers.signatures.presigned import (
    decoded_query,
    hoisted,
    is_version_two,
    iso_time,
    query_claim,
    query_signature,
)
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.callers.signatures.signature_cache import SignatureCache
from gecko_tw.callers.signatures.v4 import ChunkSigner, canonical_query, seconds_of
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest
from gecko_tw.wire.head import Head

MAX_SKEW = 900
"""Seconds that a signer's clock may differ from ours."""

_TOKEN = b"x-amz-security-token"
_PAYLOAD = b"x-amz-content-sha256"
_SIGNED_STREAMS = (SIGNED_CHUNKS, SIGNED_CHUNKS_AND_TRAILER)


@frozen(eq=False)
class Proven:
    """A key pair that was given once for all requests of a connection.

    :ivar caller: of each of its requests, for as long as the key pair is what it was.
    """

    caller: Caller


class Authenticator:
    """Finds the :class:`Caller` of each request.

    :param identities: an IIdentities.
    :param clock: seconds since 1970.
    :param region: the only region accepted in a credential scope, or None for any.
    :param version_two: whether signatures of version 2 are accepted.
    :param enabled: False lets every request pass as kind ``"open"``; its payload declaration is read all the same.
    :param front: what proxies may have changed about a request after it was signed.
    :param jay_secret: what presigned URLs of Jay's kind are signed with; empty where there are none.
    """

    def __init__(
        self,
        identities: IIdentities,
        clock: Callable[[], float],
        region: str | None = None,
        enabled: bool = True,
        version_two: bool = True,
        front: Front = NO_FRONT,
        *,
        jay_secret: bytes = b"",
    ) -> None:
        self._identities = identities
        self._clock = clock
        self._region = region
        self._enabled = enabled
        self._version_two = version_two
        self._front = front
        self._jay_secret = jay_secret
        self._proofs = SignatureCache()

    def of_any_region(self) -> "Authenticator":
        """The same, which accepts whatever region a credential scope names."""
        return Authenticator(self._identities, self._clock, None, self._enabled, self._version_two, self._front)

    def authenticate(self, head: Head) -> Caller:
        """The Caller of a request whose head has come. A request without any signature is ``anonymous``: permit it elsewhere.

        :raises Refusal: those of ``callers/refusals.py``, InvalidRequest and InvalidArgument.
        """
        if head.proven is not None:
            return self._of_connection(head.proven)
        if not self._enabled:
            return _open(head)
        authorization = head.headers.get(b"authorization")
        if authorization is None and head.query:
            proven = self._proven(head)
            if proven is not None:
                return proven
        parameters = query_signature(head.query) if head.query else None
        if self._jay_secret and head.query and jay.is_of_jay(head.query):
            if authorization is None and parameters is None:
                return self._by_jay(head)
            parameters = parameters or {}
        if authorization is None:
            return _anonymous(head) if parameters is None else self._presigned(head, parameters)
        if parameters is not None:
            raise InvalidArgument(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
                "parameter or the Authorization header should be specified",
                ArgumentName="Authorization",
                ArgumentValue=without_secret(authorization.decode("latin-1")),
            )
        if authorization.startswith(b"AWS "):
            return self._by_header_version_two(head, authorization)
        pair = None if authorization.startswith(b"AWS4") else bearer_pair(authorization)
        return self._by_header(head) if pair is None else self._by_bearer(head, *pair)

    def authenticate_connection(self, access_key: str, secret: str) -> Proven:
        """What the handshake of a connection proves: it goes with the head of each request, which is authenticated by it.

        :raises Refusal: as :meth:`authenticate`, for a key that is not there, has expired, or has another secret.
        """
        if not self._enabled:
            return Proven(Caller(kind="open"))
        identity = self._find(access_key)
        check_secret(identity, secret)
        return Proven(Caller(identity=identity, kind="connection"))

    def authenticate_document(self, head: Head, document: bytes, service: str) -> Caller:
        """The Caller of a request to another service than S3, whose signature covers the body without telling its digest.

        :param document: the whole body.
        :param service: its name in credential scopes.
        """
        if not self._enabled:
            return Caller(kind="open")
        if b"authorization" not in head.headers:
            return Caller()
        claim = header_claim(head, self._region, service)
        identity = self._find(claim.scope.access_key, head.headers.get(_TOKEN))
        self._check_skew(claim.date)
        check_signed_headers(head, claim.signed)
        digest = sha256(document).hexdigest().encode("ascii")
        verify(head, canonical_query(head.query), claim, identity.secret, digest, self._front)
        return Caller(identity=identity, kind="header")

    def authenticate_form(self, bucket: str, fields: Mapping[str, str]) -> tuple[Caller, LengthRange]:
        """The Caller of a browser form (POST Object) and the lengths that its policy allows for the file.

        A form without policy and signature is ``anonymous``.

        :param bucket: the addressed bucket.
        :param fields: the form's fields before ``file``, by name (any case). Conditions are about what they are once
            ``${filename}`` is replaced.
        """
        if not self._enabled:
            return Caller(kind="open"), LengthRange()
        form = {name.lower(): value for name, value in fields.items()}
        if v2.signs_form(form):
            self._check_version_two()
            identity = self._find(form["awsaccesskeyid"], form.get("x-amz-security-token"))
            v2.verify_form(form, identity.access_key, identity.secret)
            return Caller(identity=identity, kind="form"), check_form(bucket, form, self._clock())
        claim = form_claim(form, self._region)
        if claim is None:
            return Caller(), LengthRange()
        identity = self._find(claim.scope.access_key, form.get("x-amz-security-token"))
        verify_form(form, claim, identity.secret)
        return Caller(identity=identity, kind="form"), check_form(bucket, form, self._clock())

    def _of_connection(self, proven: object) -> Caller:
        """The caller of a connection's request: a key that has ended since, or has another secret now, proves nothing any more."""
        assert isinstance(proven, Proven), "only authenticate_connection makes it"
        known = proven.caller.identity
        if known is None:
            return proven.caller
        identity = self._find(known.access_key)
        if identity is known:
            return proven.caller
        check_secret(identity, known.secret)
        return evolve(proven.caller, identity=identity)

    def _by_header(self, head: Head) -> Caller:
        claim = header_claim(head, self._region)
        identity = self._find(claim.scope.access_key, head.headers.get(_TOKEN))
        self._check_skew(claim.date)
        declared = _declared(head, {})
        if declared is None:
            raise InvalidRequest("Missing required header for this request: x-amz-content-sha256")
        payload, chunks = self._verified(head, canonical_query(head.query), claim, identity.secret, declared)
        return Caller(identity=identity, kind="header", payload=payload, chunks=chunks)

    def _by_header_version_two(self, head: Head, authorization: bytes) -> Caller:
        self._check_version_two()
        access_key, signature = v2.header_pair(authorization)
        identity = self._find(access_key, head.headers.get(_TOKEN))
        self._check_skew(v2.header_date(head))
        parameters = decoded_query(head.query)
        v2.check_names(parameters)
        v2.verify_header(head, parameters, signature, (access_key, identity.secret), self._front)
        return Caller(identity=identity, kind="header", payload=_without_chunks(_unverified_payload(head, {})))

    def _by_bearer(self, head: Head, access_key: str, secret: str) -> Caller:
        identity = self._find(access_key, head.headers.get(_TOKEN))
        check_secret(identity, secret)
        return Caller(identity=identity, kind="bearer", payload=_without_chunks(_unverified_payload(head, {})))

    def _by_jay(self, head: Head) -> Caller:
        token = jay.proven_token(head, self._jay_secret, self._clock())
        if self._front.bucket(head) is not None:  # which bucket it is for is in the path alone that was signed
            raise jay.refusal_of_token()
        try:
            identity = self._find(token)
        except InvalidAccessKeyId:
            raise jay.refusal_of_token() from None
        return Caller(identity=identity, kind="jay", payload=_without_chunks(_unverified_payload(head, {})))

    def _proven(self, head: Head) -> Caller | None:
        """The caller of a presigned URL that has been verified before, as far as its key is still what it was."""
        caller = self._proofs.find(head, self._clock())
        if caller is None:
            return None
        known = caller.identity
        assert known is not None
        identity = self._find(known.access_key, known.token)
        if identity is known:
            return caller
        return evolve(caller, identity=identity) if identity.secret == known.secret else None

    def _presigned(self, head: Head, parameters: dict[bytes, bytes]) -> Caller:
        if is_version_two(parameters):
            return self._presigned_version_two(head, parameters)
        claim = query_claim(parameters, self._clock(), self._region)
        token = parameters.get(b"X-Amz-Security-Token") or head.headers.get(_TOKEN)
        identity = self._find(claim.scope.access_key, token)
        ignored = _PAYLOAD if _is_beside_the_url(head, claim) else b""
        declared = (_moved(parameters) if ignored else _declared(head, parameters)) or UNSIGNED_PAYLOAD.encode("ascii")
        query = canonical_query(head.query, without=b"X-Amz-Signature")
        payload, chunks = self._verified(head, query, claim, identity.secret, declared, ignored)
        caller = Caller(
            identity=identity, kind="presigned", payload=payload, chunks=chunks, hoisted=hoisted(parameters)
        )
        if identity.token is None:  # a session has whatever policy its caller likes, and that takes much memory
            self._proofs.keep(head, claim, parameters, caller)
        return caller

    def _presigned_version_two(self, head: Head, parameters: dict[bytes, bytes]) -> Caller:
        self._check_version_two()
        token = parameters.get(_TOKEN) or head.headers.get(_TOKEN)
        identity = self._find(parameters[b"AWSAccessKeyId"].decode("utf-8", "replace"), token)
        v2.check_names(parameters)
        v2.check_expiry(parameters, self._clock())
        v2.verify(head, parameters, identity.access_key, identity.secret, self._front)
        return Caller(
            identity=identity,
            kind="presigned",
            payload=_without_chunks(_unverified_payload(head, {})),
            hoisted=hoisted(parameters),
        )

    def _verified(
        self, head: Head, query: bytes, claim: Claim, secret: str, declared: bytes, ignored: bytes = b""
    ) -> tuple[str, ChunkSigner | None]:
        """The payload, and what verifies its chunks, of a request whose signature is right.

        :param ignored: as in :func:`~gecko_tw.callers.signatures.claims.check_signed_headers`.
        """
        payload = payload_of(declared.decode("latin-1"))
        check_signed_headers(head, claim.signed, ignored)
        key = verify(head, query, claim, secret, declared, self._front)
        if payload not in _SIGNED_STREAMS:
            return payload, None
        return payload, ChunkSigner(key, claim.date, claim.scope.text, claim.signature)

    def _check_version_two(self) -> None:
        if not self._version_two:
            raise refuse_version_two()

    def _find(self, access_key: str, token: bytes | str | None = None) -> Identity:
        if token:
            return self._find_session(access_key, token if isinstance(token, str) else token.decode("latin-1"))
        identity = self._identities.find(access_key)
        if identity is None:
            raise InvalidAccessKeyId(AWSAccessKeyId=access_key)
        if identity.expires is not None and identity.expires <= self._clock():
            raise InvalidAccessKeyId(
                f"The access key expired at {iso_time(identity.expires)}.", AWSAccessKeyId=access_key
            )
        return identity

    def _find_session(self, access_key: str, token: str) -> Identity:
        identity = self._identities.session(access_key, token)
        if identity is None:
            raise InvalidToken(AWSAccessKeyId=access_key)
        if identity.expires is None or identity.expires <= self._clock():
            raise ExpiredToken(AWSAccessKeyId=access_key)
        return identity

    def _check_skew(self, date: str) -> None:
        now, then = self._clock(), seconds_of(date)
        if then is None or abs(now - then) > MAX_SKEW:
            raise RequestTimeTooSkewed(
                _skew(now, then), RequestTime=date, ServerTime=iso_time(now), MaxAllowedSkewMilliseconds=MAX_SKEW * 1000
            )


def _skew(now: float, then: int | None) -> str:
    """S3's message, and which clock is where."""
    message = "The difference between the request time and the current time is too large."
    if then is None:
        return message
    return f"{message} The client's clock is {abs(int(now - then))} seconds {'behind' if then < now else 'ahead of'} the server's."


def _declared(head: Head, parameters: dict[bytes, bytes]) -> bytes | None:
    """The ``x-amz-content-sha256`` of a presigned URL or, without one there, of the headers."""
    return (_moved(parameters) if parameters else None) or head.headers.get(_PAYLOAD)


def _moved(parameters: dict[bytes, bytes]) -> bytes | None:
    return parameters.get(b"X-Amz-Content-Sha256") or parameters.get(_PAYLOAD)


def _is_beside_the_url(head: Head, claim: Claim) -> bool:
    """Whether a presigned URL came with an ``x-amz-content-sha256`` that it does not cover: SDKs add it to whatever they send.

    S3 ignores that. One that says how the body is framed is not ignored: frames would be stored for the object.
    """
    declared = head.headers.get(_PAYLOAD)
    return declared is not None and not declared.startswith(b"STREAMING-") and _PAYLOAD not in claim.signed.split(b";")


def _unverified_payload(head: Head, parameters: dict[bytes, bytes]) -> str:
    declared = _declared(head, parameters)
    return undeclared(head.headers) if declared is None else payload_of(declared.decode("latin-1"))


def _anonymous(head: Head) -> Caller:
    return Caller(payload=_without_chunks(_unverified_payload(head, {})))


def _without_chunks(payload: str) -> str:
    """The payload of a request that has no signature for chunks to go on from."""
    if payload in _SIGNED_STREAMS:
        raise InvalidRequest("Chunk signatures need a signed request.")
    return payload


def _open(head: Head) -> Caller:
    parameters = (query_signature(head.query) if b"X-Amz-Signature=" in head.query else None) or {}
    return Caller(kind="open", payload=_unverified_payload(head, parameters), hoisted=hoisted(parameters))


def claimed_key(head: Head) -> str:
    """The access key id that a request names in its header or query, proven or not; empty when there is none."""
    authorization = head.headers.get(b"authorization", b"")
    parameters = (query_signature(head.query) if head.query else None) or {}
    credential = authorization.partition(b"Credential=")[2].rsplit(b",", 2)[0] or parameters.get(b"X-Amz-Credential")
    text = credential.rsplit(b"/", 4)[0] if credential else parameters.get(b"AWSAccessKeyId", b"")
    if authorization.startswith(b"AWS "):
        text = authorization[4:].strip().rpartition(b":")[0]
    return text.decode("utf-8", "replace")
