"""Every row against botocore's model of S3, and every operation of the model against the table."""

from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import OperationModel

from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.dispatch.operations import ACTION, BUCKET, OBJECT, SERVICE, Operation
from tests.resources.asking import Shop, shop

MODEL = botocore.session.get_session().get_service_model("s3")
BROWSERS = {"PostObject", "OptionsService", "OptionsBucket", "OptionsObject", "WebsiteGet", "WebsiteHead"}
BEYOND_THE_MODEL = BROWSERS | {"SecurityTokenService"}
"""Browsers' requests, which no SDK makes, and what is another service."""

OF_MINIO = {"ListenBucketNotification"}
"""What clients of MinIO ask."""

SAME_AS_ANOTHER = {"ListDirectoryBuckets": {"max-directory-buckets": "7"}}
"""Operations that are told from one that we have only by an optional parameter."""

OTHER_NAMES = {"GetBucketLifecycle", "PutBucketLifecycle", "GetBucketNotification", "PutBucketNotification"}
"""Deprecated operations that are requests of ones that we have, letter by letter."""


READ_BY_THE_OPERATION = {"x-amz-object-attributes"}
"""Required headers that select nothing: the operation itself says what is wrong when they are absent."""


@cache
def rows() -> dict[str, Operation]:
    found = [row for (_, target), several in built_in().rows.items() if target != ACTION for row in several]
    return {row.name: row for row in found}


def target_of(model: OperationModel) -> str:
    path = model.http["requestUri"].partition("?")[0]
    return OBJECT if "{Key+}" in path else BUCKET if "{Bucket}" in path else SERVICE


def selecting(model: OperationModel) -> set[str]:
    """What the model says must be in a request: query names of its URI, and required query and header members."""
    query = model.http["requestUri"].partition("?")[2]
    found = {pair.partition("=")[0] for pair in query.split("&") if pair}
    for name in model.input_shape.required_members if model.input_shape else ():
        place = model.input_shape.members[name].serialization
        if place.get("location") in ("querystring", "header"):
            found.add(place["name"])
    return found - READ_BY_THE_OPERATION


def request_of(model: OperationModel) -> dict[str, Any]:
    """The least request that the model allows for an operation."""
    path, _, query = model.http["requestUri"].partition("?")
    names = [query] if query else []
    headers = {}
    for name in model.input_shape.required_members if model.input_shape else ():
        place = model.input_shape.members[name].serialization
        if place.get("location") == "querystring":
            names.append(f"{place['name']}=1")
        elif place.get("location") == "header":
            headers[place["name"]] = "photos/cat.jpg"
    names += [f"{name}={value}" for name, value in SAME_AS_ANOTHER.get(model.name, {}).items()]
    target = path.replace("{Bucket}", "photos").replace("{Key+}", "cat.jpg")
    body = b"<Some/>" if model.http["method"] in ("PUT", "POST") else b""
    method = model.http["method"]
    return {"method": method, "target": "?".join([target, "&".join(names)]), "headers": headers, "body": body}


def stocked() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    there.ask("PUT", "/photos/cat.jpg", b"meow", headers={"x-amz-meta-name": "Tom"})
    there.ask("PUT", "/empty")
    return there


def contents(there: Shop) -> list[tuple[int, bytes]]:
    asked = ("/", "/photos?list-type=2", "/empty?list-type=2", "/photos?uploads", "/photos/cat.jpg")
    return [(reply.status, reply.body) for reply in (there.ask("GET", target) for target in asked)]


@pytest.mark.parametrize("name", sorted(set(rows()) - BEYOND_THE_MODEL - OF_MINIO))
def test_a_row_says_what_the_model_says(name: str) -> None:
    row, model = rows()[name], MODEL.operation_model(name)
    assert (row.method, row.target) == (model.http["method"], target_of(model))
    assert row.selectors - {"list-type"} == {one for one in selecting(model) if one != "list-type"}


@pytest.mark.parametrize("name", sorted(set(rows()) - BEYOND_THE_MODEL - OF_MINIO))
def test_the_least_request_of_an_operation_resolves_to_its_row(name: str) -> None:
    model = MODEL.operation_model(name)
    assert built_in().resolve(model.http["method"], target_of(model), frozenset(selecting(model))).name == name


@pytest.mark.parametrize("name", sorted(set(MODEL.operation_names) - set(rows()) - OTHER_NAMES))
def test_an_operation_that_we_lack_is_refused_and_changes_nothing(name: str) -> None:
    there = stocked()
    before = contents(there)
    asked = request_of(MODEL.operation_model(name))
    reply = there.ask(asked["method"], asked["target"], asked["body"], headers=asked["headers"])
    assert reply.status == 501
    assert b"<Code>NotImplemented</Code>" in reply.body
    assert contents(there) == before


def test_every_operation_of_the_first_tier_is_there() -> None:
    first = """
        AbortMultipartUpload CompleteMultipartUpload CopyObject CreateBucket CreateMultipartUpload DeleteBucket DeleteBucketCors
        DeleteObject DeleteObjects GetBucketAcl GetBucketCors GetBucketLocation GetBucketVersioning GetObject HeadBucket HeadObject
        ListBuckets ListMultipartUploads ListObjects ListObjectsV2 ListParts PutBucketCors PutObject UploadPart UploadPartCopy
        PostObject OptionsBucket OptionsObject
    """
    assert set(first.split()) <= set(rows())


def test_every_row_names_the_permission_it_needs_but_what_anybody_may_ask() -> None:
    assert {name for name, row in rows().items() if row.needs is None} == BEYOND_THE_MODEL
