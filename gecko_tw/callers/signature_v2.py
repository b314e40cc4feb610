"""Presigned URLs and browser forms of signature version 2: what boto3 still makes for ``us-east-1`` unless told otherwise.

Source: S3 Developer Guide, "Signing and authenticating REST requests (AWS signature version 2)", "Query string request
authentication alternative".
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha1

from gecko_tw.callers.claims import NO_FRONT, same
from gecko_tw.callers.presigned import iso_time
from gecko_tw.callers.proxies import Front
from gecko_tw.callers.refusals import SignatureDoesNotMatch, Unproven
from gecko_tw.head import Head

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


def check_names(parameters: dict[bytes, bytes]) -> None:
    """Refuses parameters that the signature does not cover: whoever has the URL could have added them.

    :raises AccessDenied: naming them.
    """
    foreign = [
        name for name in parameters if not (name in _SIGNED_QUERY or name in _UNSIGNED_QUERY or _counts_as_header(name))
    ]
    if foreign:
        names = b", ".join(sorted(foreign)).decode("utf-8", "replace")
        raise Unproven("A signature of version 2 does not cover all parameters", ParametersNotSigned=names)


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
    bucket, given = front.bucket(head), parameters[b"Signature"].decode("latin-1")
    paths = front.paths(head) if bucket is None else [b"/" + bucket.encode("latin-1") + head.path]
    first, *others = (string_to_sign(head, parameters, path) for path in paths)
    if not any(_right(text, given, secret) for text in others):
        _compare(first, given, access_key, secret)


def signs_form(form: Mapping[str, str]) -> bool:
    """Whether a form, fields by lower-case name, is signed by version 2 and not by version 4."""
    return "awsaccesskeyid" in form and "signature" in form and "policy" in form and "x-amz-algorithm" not in form


def verify_form(form: Mapping[str, str], access_key: str, secret: str) -> None:
    """Raises SignatureDoesNotMatch unless the form's policy was signed with this secret."""
    _compare(form["policy"].encode("utf-8"), form["signature"], access_key, secret)


def _right(text: bytes, given: str, secret: str) -> bool:
    return same(b64encode(hmac.digest(secret.encode("utf-8"), text, sha1)).decode("ascii"), given)


def _compare(text: bytes, given: str, access_key: str, secret: str) -> None:
    if not _right(text, given, secret):
        raise SignatureDoesNotMatch(
            AWSAccessKeyId=access_key, StringToSign=text.decode("utf-8", "replace"), SignatureProvided=given
        )


def string_to_sign(head: Head, parameters: dict[bytes, bytes], path: bytes) -> bytes:
    """What is signed. Headers that the signer moved into the query count as headers; the path begins with the bucket."""
    moved = {name: value for name, value in parameters.items() if _counts_as_header(name)}
    headers = {**moved, **head.headers}
    amazon = sorted(name for name in headers if name.startswith(b"x-amz-"))
    lines = [
        head.method.encode("ascii"),
        headers.get(b"content-md5", b""),
        headers.get(b"content-type", b""),
        parameters[b"Expires"],
        *(name + b":" + headers[name] for name in amazon),
        _resource(path, parameters),
    ]
    return b"\n".join(lines)


def _resource(path: bytes, parameters: dict[bytes, bytes]) -> bytes:
    """The path as it came, and the parameters that select what is meant."""
    named = sorted(name for name in parameters if name in _SIGNED_QUERY)
    pairs = (name + b"=" + parameters[name] if parameters[name] else name for name in named)
    return path + (b"?" + b"&".join(pairs) if named else b"")
