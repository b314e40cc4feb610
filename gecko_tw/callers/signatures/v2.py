"""Signature version 2: presigned URLs and browser forms, which boto3 still makes for ``us-east-1`` unless told otherwise, and the
``Authorization`` header of old clients.

Source: S3 Developer Guide, "Signing and authenticating REST requests (AWS signature version 2)", with "Query string request
authentication alternative".
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha1

from gecko_tw.callers.refusals import AccessDenied, SignatureDoesNotMatch, Unproven
from gecko_tw.callers.signatures.claims import NO_FRONT, same
from gecko_tw.callers.signatures.presigned import iso_time
from gecko_tw.callers.signatures.proxies import Front
from gecko_tw.callers.signatures.showing import policy_without_secrets, without_secrets
from gecko_tw.callers.signatures.v4 import iso_date_of
from gecko_tw.store.refusals import InvalidArgument
from gecko_tw.wire.head import Head

_SIGNED_QUERY = frozenset(
    b"accelerate acl analytics cors defaultObjectAcl delete inventory lifecycle location logging metrics notification "
    b"object-lock partNumber policy replication requestPayment response-cache-control response-content-disposition "
    b"response-content-encoding response-content-language response-content-type response-expires restore select "
    b"select-type storageClass tagging torrent uploadId uploads versionId versioning versions website".split()
)

_UNSIGNED_QUERY = frozenset(
    b"AWSAccessKeyId Expires Signature continuation-token delimiter encoding-type fetch-owner key-marker list-type marker max-keys "
    b"max-parts max-uploads part-number-marker prefix start-after upload-id-marker version-id-marker x-id".split()
)
"""What may stand in the query without being signed: the signature itself, and what only says which part of a list is wanted."""

_HEADERS = frozenset(
    b"accept accept-encoding cache-control content-disposition content-encoding content-language content-length content-md5 "
    b"content-type date expect host if-match if-modified-since if-none-match if-unmodified-since range user-agent".split()
)
"""Headers, in lower case, that a signer may have put into the query as they are spelled. Nobody reads them there, as S3 does not."""


def check_names(parameters: dict[bytes, bytes]) -> None:
    """Refuses parameters that the signature does not cover: whoever has the URL could have added them, or hidden others in them.

    :raises AccessDenied: naming them.
    """
    foreign = [
        name
        for name in parameters
        if not (name in _SIGNED_QUERY or name in _UNSIGNED_QUERY or _counts_as_header(name) or name.lower() in _HEADERS)
    ]
    if foreign:
        names = b", ".join(sorted(foreign)).decode("utf-8", "replace")
        raise Unproven("A signature of version 2 does not cover all parameters", ParametersNotSigned=names)
    for name, value in parameters.items():
        if _hides_others(name, value):
            shown = name.decode("utf-8", "replace")
            raise Unproven("The value of a parameter reads like further parameters that were signed", Parameter=shown)


def _hides_others(name: bytes, value: bytes) -> bool:
    """Whether what is signed would be the same with a part of the value as another header or parameter.

    The string to sign escapes nothing: a line feed in a value and the end of a header look alike, and so do two ampersands.
    """
    if _counts_as_header(name):
        return b"\n" in value
    if name not in _SIGNED_QUERY or b"&" not in value:
        return False
    return any(piece.partition(b"=")[0] in _SIGNED_QUERY for piece in value.split(b"&")[1:])


def _counts_as_header(name: bytes) -> bool:
    """Signers move headers into the query under their lower-case names."""
    return (name.startswith(b"x-amz-") and name == name.lower()) or name in (b"content-type", b"content-md5")


def check_expiry(parameters: dict[bytes, bytes], now: float) -> None:
    """Refuses a URL that is no longer good.

    :param now: seconds since 1970.
    :raises AccessDenied: it has expired, or does not say when it will.
    """
    text = parameters.get(b"Expires", b"")
    if not text.isdigit() or len(text) > 18:
        raise Unproven("Invalid date (should be seconds since epoch)")
    if now > int(text):
        raise Unproven("Request has expired", Expires=iso_time(min(int(text), 253402300799)), ServerTime=iso_time(now))


def verify(head: Head, parameters: dict[bytes, bytes], access_key: str, secret: str, front: Front = NO_FRONT) -> None:
    """Refuses a URL whose signature is wrong. The host is not signed: a bucket that it names is, as the first part of the path.

    :param parameters: the decoded query.
    :raises SignatureDoesNotMatch: with the string that should have been signed.
    """
    given = parameters[b"Signature"].decode("latin-1")
    _verify(head, lambda path: string_to_sign(head, parameters, path), given, (access_key, secret), front)


def _verify(head: Head, text_for: Callable[[bytes], bytes], given: str, pair: tuple[str, str], front: Front) -> None:
    """Tries each path that the client may have signed. ``pair``: access key id and secret."""
    bucket = front.bucket(head)
    paths = front.paths(head) if bucket is None else [b"/" + bucket.encode("latin-1") + head.path]
    # What addresses a bucket by its name alone is signed with a slash behind it by botocore.
    paths += [path + b"/" for path in paths if path.count(b"/") == 1 and path != b"/"]
    first, *others = map(text_for, paths)
    if not any(_right(text, given, pair[1]) for text in others):
        _compare(first, given, *pair)


def header_pair(authorization: bytes) -> tuple[str, str]:
    """Access key id and signature of ``AWS <access key id>:<signature>``. Raises InvalidArgument."""
    access_key, _, signature = authorization[4:].strip().decode("utf-8", "replace").rpartition(":")
    if not access_key or not signature:
        raise InvalidArgument(
            "AWS authorization header is invalid. Expected AwsAccessKeyId:signature", ArgumentName="Authorization"
        )
    return access_key, signature


def header_date(head: Head) -> str:
    """When a request that is signed in its header was, ``YYYYMMDDTHHMMSSZ``. ``x-amz-date`` stands in for ``Date``.

    :raises AccessDenied: it does not say, or names a year before 1970, which S3 takes for no date.
    """
    value = head.headers.get(b"x-amz-date", head.headers.get(b"date", b""))
    date = iso_date_of(value.decode("latin-1"))
    if date is None or date < "1970":
        raise AccessDenied("AWS authentication requires a valid Date or x-amz-date header")
    return date


def verify_header(
    head: Head, parameters: dict[bytes, bytes], given: str, pair: tuple[str, str], front: Front = NO_FRONT
) -> None:
    """As :func:`verify`, of a request that is signed in its header.

    :param given: the signature. ``pair``: access key id and secret.
    """
    date = b"" if b"x-amz-date" in head.headers else head.headers.get(b"date", b"")

    def text(path: bytes) -> bytes:
        return _text(head.method, head.headers, date, _resource(path, parameters))

    _verify(head, text, given, pair, front)


def signs_form(form: Mapping[str, str]) -> bool:
    """Whether a form, fields by lower-case name, is signed by version 2 and not by version 4."""
    return "awsaccesskeyid" in form and "signature" in form and "policy" in form and "x-amz-algorithm" not in form


def verify_form(form: Mapping[str, str], access_key: str, secret: str) -> None:
    """Raises SignatureDoesNotMatch unless the form's policy was signed with this secret."""
    policy = form["policy"]
    if not _right(policy.encode("utf-8"), form["signature"], secret):
        raise SignatureDoesNotMatch(
            AWSAccessKeyId=access_key, StringToSign=policy_without_secrets(policy), SignatureProvided=form["signature"]
        )


def _right(text: bytes, given: str, secret: str) -> bool:
    return same(b64encode(hmac.digest(secret.encode("utf-8"), text, sha1)).decode("ascii"), given)


def _compare(text: bytes, given: str, access_key: str, secret: str) -> None:
    if not _right(text, given, secret):
        raise SignatureDoesNotMatch(
            AWSAccessKeyId=access_key,
            StringToSign=without_secrets(text).decode("utf-8", "replace"),
            SignatureProvided=given,
        )


def string_to_sign(head: Head, parameters: dict[bytes, bytes], path: bytes) -> bytes:
    """What is signed. Headers that the signer moved into the query count as headers; the path begins with the bucket."""
    moved = {name: value for name, value in parameters.items() if _counts_as_header(name)}
    return _text(head.method, {**moved, **head.headers}, parameters[b"Expires"], _resource(path, parameters))


def _text(method: str, headers: Mapping[bytes, bytes], time: bytes, resource: bytes) -> bytes:
    amazon = sorted(name for name in headers if name.startswith(b"x-amz-"))
    lines = [
        method.encode("ascii"),
        headers.get(b"content-md5", b""),
        headers.get(b"content-type", b""),
        time,
        *(name + b":" + headers[name] for name in amazon),
        resource,
    ]
    return b"\n".join(lines)


def _resource(path: bytes, parameters: dict[bytes, bytes]) -> bytes:
    """The path as it came, and the parameters that select what is meant."""
    named = sorted(name for name in parameters if name in _SIGNED_QUERY)
    pairs = (name + b"=" + parameters[name] if parameters[name] else name for name in named)
    return path + (b"?" + b"&".join(pairs) if named else b"")
