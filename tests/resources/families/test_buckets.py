"""Buckets themselves."""

from urllib.parse import quote

import pytest
from attrs import evolve
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.documents.regions import LOCATIONS
from tests.resources.asking import Shop, shop
from tests.resources.reading import read


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    return there


def code(there: Shop, method: str, target: str, body: bytes = b"", **headers: str) -> str:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return read("CreateBucket", there.ask(method, target, body, headers=more))["Error"]["Code"]


def configuration(content: str) -> bytes:
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return f'<CreateBucketConfiguration xmlns="{namespace}">{content}</CreateBucketConfiguration>'.encode()


def test_a_new_bucket_tells_its_location() -> None:
    there = shop()
    assert there.ask("PUT", "/photos").header("location") == "/photos"
    assert there.ask("PUT", "/photos/").status == 409


def test_a_bucket_created_again_is_ones_own() -> None:
    assert code(shop(), "PUT", "/X") == "InvalidBucketName"
    there = shop()
    there.ask("PUT", "/photos")
    assert code(there, "PUT", "/photos") == "BucketAlreadyOwnedByYou"
    there.service.recreate_status = 200
    assert there.ask("PUT", "/photos").status == 200


def test_a_bucket_that_nobody_owns_is_ones_own(there: Shop) -> None:
    there.service.buckets.change("photos", lambda record: evolve(record, owner=""))
    assert code(there, "PUT", "/photos") == "BucketAlreadyOwnedByYou"


def test_a_region_given_at_creation_is_kept(there: Shop) -> None:
    body = configuration("<LocationConstraint>eu-central-1</LocationConstraint>")
    assert there.ask("PUT", "/pictures", body).status == 200
    location = there.ask("GET", "/pictures?location").body
    assert location.endswith(b">eu-central-1</LocationConstraint>")
    assert there.ask("HEAD", "/pictures").header("x-amz-bucket-region") == "eu-central-1"


def test_regions_are_those_of_aws() -> None:
    model = get_session().get_service_model("s3").shape_for("BucketLocationConstraint")
    assert set(model.enum) >= LOCATIONS


def test_a_deployment_has_a_region_of_its_own_and_those_that_its_clients_sign_for(there: Shop) -> None:
    there.service.region = "home"
    signed = {
        "authorization": "AWS4-HMAC-SHA256 Credential=key/20261121/attic/s3/aws4_request, SignedHeaders=host, Signature=0"
    }
    for region, headers, status in (
        ("home", {}, 200),
        ("attic", {}, 400),
        ("attic", signed, 200),
        ("tic", signed, 400),
    ):
        body = configuration(f"<LocationConstraint>{region}</LocationConstraint>")
        assert there.ask("PUT", f"/b-{region}", body, headers=headers).status == status


def test_us_east_1_is_written_as_nothing(there: Shop) -> None:
    assert there.ask("GET", "/photos?location").body.endswith(b'2006-03-01/"></LocationConstraint>')
    assert there.ask("HEAD", "/photos").header("x-amz-bucket-region") == "us-east-1"


def test_tags_given_at_creation_are_kept() -> None:
    there = shop()
    body = configuration("<Tags><Tag><Key>a</Key><Value>1</Value></Tag></Tags>")
    assert there.ask("PUT", "/photos", body).status == 200
    assert there.service.buckets.get("photos").settings == {"tagging": {"a": "1"}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<X/>", "MalformedXML"),
        (b"nonsense", "MalformedXML"),
        *(
            (configuration(f"<LocationConstraint>{region}</LocationConstraint>"), "InvalidLocationConstraint")
            for region in ("a b", "foo", "us-east-1", "eu-west-11", "eu", "US-WEST-1", "é", "x" * 65)
        ),
        (configuration("<Bucket><Type>Directory</Type></Bucket>"), "NotImplemented"),
        (configuration("<Other/>"), "MalformedXML"),
        (configuration("<Tags><Tag><Key></Key><Value/></Tag></Tags>"), "InvalidTag"),
    ],
)
def test_a_bucket_that_cannot_be_is_not_created(body: bytes, expected: str) -> None:
    there = shop()
    assert code(there, "PUT", "/photos", body) == expected
    assert there.ask("HEAD", "/photos").status == 404


@pytest.mark.parametrize(
    "header",
    [
        {"x_amz_bucket_namespace": "account-regional"},
    ],
)
def test_a_kind_of_bucket_that_we_lack_is_refused(header: dict[str, str]) -> None:
    assert code(shop(), "PUT", "/photos", **header) == "NotImplemented"


def test_what_asks_for_nothing_special_is_accepted() -> None:
    headers = {
        "x-amz-acl": "private",
        "x-amz-bucket-object-lock-enabled": "False",
        "x-amz-object-ownership": "BucketOwnerEnforced",
    }
    assert shop().ask("PUT", "/photos", headers=headers).status == 200


def test_only_an_empty_bucket_is_deleted(there: Shop) -> None:
    there.ask("PUT", "/photos/cat.jpg", b"meow")
    assert code(there, "DELETE", "/photos") == "BucketNotEmpty"
    there.ask("DELETE", "/photos/cat.jpg")
    assert there.ask("DELETE", "/photos").status == 204
    assert code(there, "DELETE", "/photos") == "NoSuchBucket"


@given(
    wanted=st.sets(st.text("abc", min_size=3, max_size=4), max_size=8),
    size=st.integers(1, 3),
    prefix=st.text("ab", max_size=2),
)
def test_pages_of_buckets_tell_of_each_once_by_name(wanted: set[str], size: int, prefix: str) -> None:
    there = shop()
    for name in wanted:
        there.ask("PUT", f"/{name}")
    found, query = [], ""
    while True:
        page = read("ListBuckets", there.ask("GET", f"/?max-buckets={size}&prefix={prefix}{query}"))
        found += [bucket["Name"] for bucket in page["Buckets"]]
        assert len(page["Buckets"]) <= size
        if "ContinuationToken" not in page:
            break
        query = f"&continuation-token={quote(page['ContinuationToken'])}"
    assert found == sorted(name for name in wanted if name.startswith(prefix))


def test_an_empty_token_is_the_beginning_of_the_buckets(there: Shop) -> None:
    page = read("ListBuckets", there.ask("GET", "/?continuation-token=&max-buckets=1"))
    assert [bucket["Name"] for bucket in page["Buckets"]] == ["photos"]


def test_the_list_of_buckets_says_whose_they_are(there: Shop) -> None:
    page = read("ListBuckets", there.ask("GET", "/"))
    assert page["Owner"]["ID"] == there.service.owner
    assert page["Buckets"][0]["CreationDate"].isoformat() == "2026-11-21T03:00:00+00:00"
    assert page["Buckets"][0]["BucketRegion"] == "us-east-1"
    assert read("ListBuckets", there.ask("GET", "/?bucket-region=eu-west-1"))["Buckets"] == []


@pytest.mark.parametrize("query", ["max-buckets=x", "max-buckets=-1", "continuation-token=x"])
def test_a_page_of_buckets_that_cannot_be_is_refused(there: Shop, query: str) -> None:
    assert there.ask("GET", f"/?{query}").status == 400


def test_versioning_was_never_set(there: Shop) -> None:
    reply = there.ask("GET", "/photos?versioning")
    assert reply.body.endswith(b"></VersioningConfiguration>")
    assert "Status" not in read("GetBucketVersioning", reply)


def test_the_owner_may_do_everything_and_nobody_else_anything(there: Shop) -> None:
    found = read("GetBucketAcl", there.ask("GET", "/photos?acl"))
    owner = {"ID": there.service.owner, "DisplayName": there.service.owner}
    assert found["Owner"] == owner
    assert found["Grants"] == [{"Grantee": {**owner, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}]


@pytest.mark.parametrize("query", ["", "?location", "?versioning", "?acl", "?cors"])
def test_what_is_asked_of_no_bucket_is_refused(query: str) -> None:
    assert shop().ask("GET", f"/none{query}").status == 404
