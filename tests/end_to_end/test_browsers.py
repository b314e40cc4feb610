"""What web pages do: forms that upload a file by a signed policy, and requests from another origin."""

import json

import pytest
import urllib3

from tests.end_to_end.place import Place
from tests.end_to_end.raw import Wire, unsigned
from tests.patience import eventually


@pytest.fixture
def http(scheme: Place):
    """A plain HTTP client that follows no redirects."""
    certificates = scheme.daemon.certificates
    with urllib3.PoolManager(ca_certs=str(certificates.authority) if certificates else None, retries=False) as pool:
        yield pool


@pytest.fixture(params=["by default", "by version 4"])
def signer(request: pytest.FixtureRequest, scheme: Place):
    """What signs the forms. boto3's default in us-east-1, and only there, is version 2 of the signature."""
    return scheme.s3 if request.param == "by default" else scheme.signer


def send_form(http, form: dict, body: bytes = b"the file", **more: str):
    """Sends what ``generate_presigned_post`` made, with a file named ``my file.txt``."""
    fields = {**form["fields"], **more, "file": ("my file.txt", body, "text/x")}
    return http.request("POST", form["url"], fields=fields, redirect=False)


def test_a_form_uploads_a_file_with_its_headers(scheme: Place, http, signer):
    bucket = scheme.new_bucket()
    fields = {"Content-Type": "text/form", "x-amz-meta-colour": "green", "success_action_status": "201"}
    conditions = [{name: value} for name, value in fields.items()] + [["content-length-range", 1, 100]]
    form = signer.generate_presigned_post(bucket, "uploads/ü/${filename}", Fields=fields, Conditions=conditions)
    answer = send_form(http, form)
    assert answer.status == 201, answer.data
    assert b"<PostResponse>" in answer.data
    assert b"<Key>uploads/\xc3\xbc/my file.txt</Key>" in answer.data
    stored = scheme.s3.get_object(Bucket=bucket, Key="uploads/ü/my file.txt")
    assert (stored["Body"].read(), stored["ContentType"]) == (b"the file", "text/form")
    assert stored["Metadata"] == {"colour": "green"}


def test_a_form_without_wishes_is_answered_with_no_content_and_redirects_when_asked(scheme: Place, http, signer):
    bucket = scheme.new_bucket()
    assert send_form(http, signer.generate_presigned_post(bucket, "key"), some := bytes(3_000_000)).status == 204
    assert scheme.get(bucket, "key") == some
    redirect = {"success_action_redirect": "http://example.com/done?a=b"}
    answer = send_form(http, signer.generate_presigned_post(bucket, "key", redirect, [redirect]))
    assert answer.status == 303
    assert answer.headers["Location"].startswith("http://example.com/done?a=b&")
    assert f"bucket={bucket}&key=key&etag=" in answer.headers["Location"]


def test_a_form_that_breaks_its_policy_is_refused(scheme: Place, http, signer):
    bucket = scheme.new_bucket()
    sized = signer.generate_presigned_post(bucket, "key", Conditions=[["content-length-range", 5, 10]])
    plain = signer.generate_presigned_post(bucket, "key")
    over = signer.generate_presigned_post(bucket, "key", ExpiresIn=-10)
    elsewhere = {**plain, "fields": {**plain["fields"], "key": "elsewhere"}}
    name = "x-amz-signature" if "x-amz-signature" in plain["fields"] else "signature"
    forged = {**plain, "fields": {**plain["fields"], name: "0" * 64}}
    for form, body, more, code, status in (
        (sized, b"1234", {}, b"EntityTooSmall", 400),
        (sized, b"12345678901", {}, b"EntityTooLarge", 400),
        (plain, b"body", {"x-amz-meta-extra": "not covered"}, b"AccessDenied", 403),
        (elsewhere, b"body", {}, b"AccessDenied", 403),
        (forged, b"body", {}, b"SignatureDoesNotMatch", 403),
        (over, b"body", {}, b"AccessDenied", 403),
    ):
        answer = send_form(http, form, body, **more)
        assert (answer.status, code in answer.data) == (status, True), answer.data
    assert scheme.keys(bucket) == []


def ask(place: Place, method: str, target: str, **headers: str):
    with Wire(place.daemon) as wire:
        wire.send(unsigned(place.daemon, method, target, **headers))
        return wire.answer(method)


def test_pages_of_every_origin_may_ask_until_a_bucket_has_rules_of_its_own(scheme: Place):
    bucket, origin = scheme.new_bucket(), "https://page.example"
    asked = {"Origin": origin, "Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "content-type"}
    before = ask(scheme, "OPTIONS", f"/{bucket}/key", **asked)
    assert before.status == 200
    assert before.headers["access-control-allow-origin"] in (origin, "*")
    assert "PUT" in before.headers["access-control-allow-methods"]
    refused = ask(scheme, "GET", f"/{bucket}/key", Origin=origin)
    assert (refused.status, refused.headers["access-control-allow-origin"] in (origin, "*")) == (403, True)

    rule = {
        "AllowedOrigins": ["https://*.example"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["content-*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 30,
    }
    scheme.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert scheme.s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    allowed = ask(scheme, "OPTIONS", f"/{bucket}/key", **asked)
    assert allowed.status == 200
    assert allowed.headers["access-control-allow-origin"] == origin
    assert allowed.headers["access-control-max-age"] == "30"
    for other in (
        {"Origin": "https://example.com"},
        {"Access_Control_Request_Method": "DELETE"},
        {"Access_Control_Request_Headers": "x-odd"},
    ):
        assert ask(scheme, "OPTIONS", f"/{bucket}/key", **(asked | other)).status == 403
    told = ask(scheme, "GET", f"/{bucket}/key", Origin=origin)
    assert (told.headers["access-control-allow-origin"], told.headers["access-control-expose-headers"]) == (
        origin,
        "ETag",
    )
    assert (
        "access-control-allow-origin" not in ask(scheme, "GET", f"/{bucket}/key", Origin="https://example.com").headers
    )
    scheme.s3.delete_bucket_cors(Bucket=bucket)
    assert ask(scheme, "OPTIONS", f"/{bucket}/key", **(asked | {"Origin": "https://example.com"})).status == 200


def test_health_is_answered_to_anybody(scheme: Place):
    for path in ("/health", "/minio/health/live", "/minio/health/ready"):
        assert ask(scheme, "GET", path).status == 200
        assert ask(scheme, "HEAD", path).status == 200


def test_the_request_log_has_a_line_of_json_for_each_request_and_no_secret(scheme: Place, http, signer):
    bucket = scheme.new_bucket()
    scheme.put(bucket, "a logged key", b"body")
    url = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a logged key"})
    answer = http.request("GET", url)
    http.request("GET", f"{scheme.daemon.url}/{bucket}/refused")
    # A line is written once its answer has been sent, so the answer may be here before it.
    eventually(lambda: any(f"/{bucket}/refused" in line for line in scheme.daemon.request_lines))
    log = [json.loads(line) for line in scheme.daemon.request_lines]
    mine = {entry["request_id"]: entry for entry in log if f"/{bucket}" in entry["uri"]}
    entry = mine[answer.headers["x-amz-request-id"]]
    assert (entry["method"], entry["status"], entry["bytes"]) == ("GET", 200, 4)
    assert any(entry["status"] == 403 and "AccessDenied" in entry["error"] for entry in mine.values())
    signature = url.rpartition("Signature=")[2].partition("&")[0]
    assert signature not in "\n".join(scheme.daemon.request_lines)
    assert len({entry["request_id"] for entry in log}) == len(log)
