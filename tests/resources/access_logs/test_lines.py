"""Lines of server access logs: AWS's fields in AWS's order, whatever clients send."""

from urllib.parse import unquote_to_bytes

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from gecko_tw.resources.access_logs.lines import Logged, access_line, operation_name
from gecko_tw.resources.dispatch.families import built_in
from gecko_tw.resources.dispatch.operations import ACTION
from tests.resources.log_lines import parsed, parsed_all

GET = Logged(
    owner="000000000000",
    bucket="photos",
    time=1_549_411_238.9,
    address="192.0.2.3",
    requester="arn:aws:iam::main:user/ann",
    request_id="3E57427F3A59F07A",
    operation="REST.GET.OBJECT",
    key=b"a b/\xc3\xbc.jpg",
    method="GET",
    target=b"/photos/a%20b/%C3%BC.jpg?versionId=7",
    status=206,
    sent=113,
    size=4406583,
    total=41,
    turned=28,
    referer=b"https://example.com/",
    agent=b"boto3/1.0 (Linux; x64)",
    version_id="7",
    host_id="s9lzHYrFp76ZVxRc",
    signature="SigV4",
    cipher="TLS_AES_128_GCM_SHA256",
    authentication="AuthHeader",
    host=b"photos.example.com:9000",
    tls="TLSV1.3",
)


def test_a_line_has_all_fields_in_order():
    assert access_line(GET).decode() == (
        "000000000000 photos [06/Feb/2019:00:00:38 +0000] 192.0.2.3 arn:aws:iam::main:user/ann 3E57427F3A59F07A REST.GET.OBJECT"
        ' a%2520b/%25C3%25BC.jpg "GET /photos/a%20b/%C3%BC.jpg?versionId=7 HTTP/1.1" 206 - 113 4406583 41 28 "https://example.com/"'
        ' "boto3/1.0 (Linux; x64)" 7 s9lzHYrFp76ZVxRc SigV4 TLS_AES_128_GCM_SHA256 AuthHeader photos.example.com:9000 TLSV1.3 - -\n'
    )


def test_a_presigned_url_that_a_page_came_by_cannot_be_used_again():
    line = access_line(
        evolve(GET, referer=b"https://h/b/page.html?X-Amz-Signature=5ec3e7&X-Amz-Date=1", target=b"/b/cat.jpg")
    )
    assert b"5ec3e7" not in line and b'"https://h/b/page.html?X-Amz-Signature=***&X-Amz-Date=1"' in line


def test_what_is_unknown_is_a_dash():
    bare = Logged(
        owner="1",
        bucket="b",
        time=0,
        address="",
        requester="",
        request_id="R",
        operation="BATCH.DELETE.OBJECT",
        key=b"k",
        status=204,
        host_id="H",
    )
    line = access_line(bare).decode()
    assert (
        line == "1 b [01/Jan/1970:00:00:00 +0000] - - R BATCH.DELETE.OBJECT k - 204 - - - - - - - - H - - - - - - -\n"
    )


@given(
    key=st.binary(min_size=1),
    target=st.binary(),
    referer=st.binary(),
    agent=st.binary(),
    host=st.binary(),
    version_id=st.text(st.characters(exclude_categories=())),
    requester=st.text(st.characters(exclude_categories=("Cs",))),
)
@example(key=b"k", target=b"", referer=b"", agent=b"", host=b"[::1]:9000", version_id="]", requester="[")
def test_whatever_a_client_sends_is_one_line_with_its_fields_and_nothing_is_lost(**sent):
    try:
        sent["version_id"].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        sent["version_id"] = ""
    (line,) = parsed_all(access_line(evolve(GET, **sent)))
    assert line["status"] == "206"
    assert line["bucket"] == "photos"
    if sent["key"] != b"-":
        assert unquote_to_bytes(unquote_to_bytes(line["key"])) == sent["key"]


@pytest.mark.parametrize("text", ['x" 200 -', "a\nb", "a\r\nb", "a\\", "\x00", "]", "\u2028"])
def test_no_header_can_end_its_field(text):
    line = parsed(access_line(evolve(GET, agent=text.encode())).decode().rstrip("\n"))
    assert unquote_to_bytes(line["agent"]).decode().strip("[]") == text.strip("[]")


def test_secrets_in_a_presigned_url_are_masked():
    line = access_line(evolve(GET, target=b"/b/k?X-Amz-Signature=abc&X-Amz-Credential=def&x=1"))
    assert b"/b/k?X-Amz-Signature=***&X-Amz-Credential=***&x=1" in line


NAMES = {
    "PutObject": "REST.PUT.OBJECT",
    "GetObject": "REST.GET.OBJECT",
    "HeadObject": "REST.HEAD.OBJECT",
    "DeleteObject": "REST.DELETE.OBJECT",
    "CopyObject": "REST.COPY.OBJECT",
    "DeleteObjects": "REST.POST.MULTI_OBJECT_DELETE",
    "CreateMultipartUpload": "REST.POST.UPLOADS",
    "UploadPart": "REST.PUT.PART",
    "UploadPartCopy": "REST.COPY.PART",
    "CompleteMultipartUpload": "REST.POST.UPLOAD",
    "AbortMultipartUpload": "REST.DELETE.UPLOAD",
    "ListParts": "REST.GET.UPLOAD",
    "ListObjects": "REST.GET.BUCKET",
    "ListObjectsV2": "REST.GET.BUCKET",
    "ListObjectVersions": "REST.GET.BUCKETVERSIONS",
    "HeadBucket": "REST.HEAD.BUCKET",
    "GetBucketVersioning": "REST.GET.VERSIONING",
    "GetBucketLogging": "REST.GET.LOGGING_STATUS",
    "GetBucketPolicy": "REST.GET.BUCKETPOLICY",
    "GetBucketLocation": "REST.GET.LOCATION",
    "GetBucketAcl": "REST.GET.ACL",
    "GetObjectAcl": "REST.GET.ACL",
    "PutObjectTagging": "REST.PUT.OBJECT_TAGGING",
    "PutBucketTagging": "REST.PUT.TAGGING",
    "GetBucketIntelligentTieringConfiguration": "REST.GET.INTELLIGENT_TIERING",
    "OptionsObject": "REST.OPTIONS.PREFLIGHT",
    "WebsiteGet": "WEBSITE.GET.OBJECT",
}


def test_operations_have_the_names_that_aws_gives_them():
    rows = {row.name: row for rows in built_in().rows.values() for row in rows}
    found = {name: operation_name(name, *_of(rows[name])) for name in NAMES}
    assert found == NAMES


def _of(row):
    return row.method, row.target, row.selectors


def test_every_operation_has_a_name_that_is_one_word():
    for (_, target), rows in built_in().rows.items():
        for row in rows if target != ACTION else ():
            name = operation_name(row.name, *_of(row))
            assert len(name.split(".")) == 3
            assert name.replace(".", "").replace("_", "").isalpha(), name


def test_a_request_that_no_operation_answers_has_a_name_too():
    assert operation_name("", "PUT", "bucket") == "REST.PUT.BUCKET"
