"""Bucket settings in the shape that AWS's tools know (boto3, ``aws s3api``), written as the XML documents that S3 takes.

What a document means is decided where requests are answered; here only names are checked, so that a message can name a line.
Source: S3 API Reference, the data types of the Put operations named below.
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from gecko_tw.resources.documents.markup import document, element, text
from gecko_tw.settings.entries import Entry

Shape = Mapping[str, Any]
"""The members of a structure: None for a text, a Shape, or an Each."""


@frozen
class Each:
    """A list: every item is an element ``name``; ``wrapped`` ones stand together inside an element of the list's own name."""

    name: str
    shape: Shape | None = None
    wrapped: bool = False


def _texts(words: str) -> dict[str, None]:
    return dict.fromkeys(words.split())


_TAG = _texts("Key Value")
_SIZES = _texts("ObjectSizeGreaterThan ObjectSizeLessThan")
_TRANSITION = _texts("Date Days StorageClass")
_NONCURRENT = _texts("NoncurrentDays NewerNoncurrentVersions")

CORS: Shape = {
    "CORSRules": Each(
        "CORSRule",
        {
            **_texts("ID MaxAgeSeconds"),
            "AllowedHeaders": Each("AllowedHeader"),
            "AllowedMethods": Each("AllowedMethod"),
            "AllowedOrigins": Each("AllowedOrigin"),
            "ExposeHeaders": Each("ExposeHeader"),
        },
    )
}
LIFECYCLE: Shape = {
    "Rules": Each(
        "Rule",
        {
            **_texts("ID Prefix Status"),
            "Filter": {
                "Prefix": None,
                "Tag": _TAG,
                **_SIZES,
                "And": {"Prefix": None, "Tags": Each("Tag", _TAG), **_SIZES},
            },
            "Expiration": _texts("Date Days ExpiredObjectDeleteMarker"),
            "Transitions": Each("Transition", _TRANSITION),
            "NoncurrentVersionTransitions": Each("NoncurrentVersionTransition", {**_NONCURRENT, "StorageClass": None}),
            "NoncurrentVersionExpiration": _NONCURRENT,
            "AbortIncompleteMultipartUpload": _texts("DaysAfterInitiation"),
        },
    )
}
ENCRYPTION: Shape = {
    "Rules": Each(
        "Rule",
        {
            "ApplyServerSideEncryptionByDefault": _texts("SSEAlgorithm KMSMasterKeyID"),
            "BucketKeyEnabled": None,
            "BlockedEncryptionTypes": {"EncryptionType": Each("EncryptionType")},
        },
    )
}
PUBLIC_ACCESS_BLOCK: Shape = _texts("BlockPublicAcls IgnorePublicAcls BlockPublicPolicy RestrictPublicBuckets")
_REDIRECT = _texts("HostName HttpRedirectCode Protocol ReplaceKeyPrefixWith ReplaceKeyWith")
WEBSITE: Shape = {
    "IndexDocument": _texts("Suffix"),
    "ErrorDocument": _texts("Key"),
    "RedirectAllRequestsTo": _texts("HostName Protocol"),
    "RoutingRules": Each(
        "RoutingRule",
        {"Condition": _texts("HttpErrorCodeReturnedEquals KeyPrefixEquals"), "Redirect": _REDIRECT},
        wrapped=True,
    ),
}


def written(root: str, shape: Shape, entry: Entry) -> bytes:
    """The document of an entry.

    A structure that has one list and nothing else may be written as that list alone.

    :param root: the name of the root element.
    :raises BadSetting: a name that the structure does not have, or another kind of value than it has.
    """
    if isinstance(entry.value, tuple) and len(shape) == 1:
        name, each = next(iter(shape.items()))
        return document(root, _list(name, each, entry))
    return document(root, _members(shape, entry))


def _members(shape: Shape, entry: Entry) -> str:
    return "".join(_member(name, shape[name], child) for name, child in entry.keys(*shape).items())


def _member(name: str, shape: Any, entry: Entry) -> str:
    if isinstance(shape, Each):
        return _list(name, shape, entry)
    if shape is not None:
        return element(name, _members(shape, entry))
    value = entry.plain()
    return text(name, value if isinstance(value, bool) else entry.text())


def _list(name: str, each: Each, entry: Entry) -> str:
    content = "".join(_member(each.name, each.shape, child) for child in entry.items())
    return element(name, content) if each.wrapped else content
