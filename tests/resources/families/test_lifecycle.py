"""Lifecycle configurations as clients write and read them, and what answers tell of them."""

from typing import Any

import botocore.session
import pytest
from botocore.serialize import create_serializer
from hypothesis import given
from hypothesis import strategies as st

from gecko_tw.resources.answers.refusals import MalformedXML
from gecko_tw.resources.documents.lifecycle import read_lifecycle, write_lifecycle
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, Refusal
from tests.resources.asking import FakeRequest, Shop, shop
from tests.resources.reading import read

MODEL = botocore.session.get_session().get_service_model("s3")
SERIALIZER = create_serializer("rest-xml")


def document(*rules: dict[str, Any]) -> bytes:
    """What an SDK sends."""
    asked = {"Bucket": "photos", "LifecycleConfiguration": {"Rules": list(rules)}}
    model = MODEL.operation_model("PutBucketLifecycleConfiguration")
    return SERIALIZER.serialize_to_request(asked, model)["body"]  # type: ignore[no-any-return]


def rule(**parts: Any) -> dict[str, Any]:
    return {"ID": "one", "Filter": {"Prefix": "log/"}, "Status": "Enabled", "Expiration": {"Days": 30}, **parts}


def rule_without(name: str, **parts: Any) -> dict[str, Any]:
    return {key: value for key, value in rule(**parts).items() if key != name}


def days(number: int, target: str) -> dict[str, Any]:
    return {"Days": number, "StorageClass": target}


def old(number: int, target: str, kept: int = 0) -> dict[str, Any]:
    more = {"NewerNoncurrentVersions": kept} if kept else {}
    return {"NoncurrentDays": number, **more, "StorageClass": target}


def date(text: str, target: str) -> dict[str, Any]:
    return {"Date": text, "StorageClass": target}


@pytest.fixture
def there() -> Shop:
    there = shop()
    there.ask("PUT", "/photos")
    return there


def put(there: Shop, *rules: dict[str, Any]) -> FakeRequest:
    return there.ask("PUT", "/photos?lifecycle", document(*rules))


def code(reply: FakeRequest) -> str:
    return str(read("GetBucketLifecycleConfiguration", reply)["Error"]["Code"])


RULES = [
    rule(),
    rule_without("Filter", ID="old shape", Prefix="tmp/"),
    rule(ID="all", Filter={}, Status="Disabled", Expiration={"ExpiredObjectDeleteMarker": True}),
    rule(ID="tag", Filter={"Tag": {"Key": "kind", "Value": "log & <more>"}}),
    rule(ID="size", Filter={"ObjectSizeGreaterThan": 0}),
    rule(
        ID="and",
        Filter={
            "And": {
                "Prefix": "été/",
                "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}],
                "ObjectSizeGreaterThan": 5,
                "ObjectSizeLessThan": 7 * 2**40,
            }
        },
    ),
    rule_without("Expiration", ID="noncurrent", NoncurrentVersionExpiration={"NoncurrentDays": 3}),
    rule(ID="kept", NoncurrentVersionExpiration={"NoncurrentDays": 3, "NewerNoncurrentVersions": 5}),
    rule(ID="uploads", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}),
    rule_without("Expiration", ID="moved", Transitions=[days(0, "GLACIER_IR")]),
    rule(
        ID="moved, and gone",
        Expiration={"Days": 365},
        Transitions=[days(90, "ONEZONE_IA"), days(30, "STANDARD_IA"), days(60, "INTELLIGENT_TIERING")],
        NoncurrentVersionTransitions=[old(0, "INTELLIGENT_TIERING", 5), old(30, "GLACIER_IR")],
        NoncurrentVersionExpiration={"NoncurrentDays": 31},
    ),
    rule(ID="moved, with markers", Expiration={"ExpiredObjectDeleteMarker": True}, Transitions=[days(1, "GLACIER_IR")]),
]


def test_a_configuration_comes_back_as_it_was_given(there: Shop) -> None:
    assert put(there, *RULES).status == 200
    assert read("GetBucketLifecycleConfiguration", there.ask("GET", "/photos?lifecycle"))["Rules"] == RULES


def test_it_is_kept_as_the_json_that_tools_show(there: Shop) -> None:
    put(there, *RULES)
    assert there.service.buckets.get("photos").settings["lifecycle"] == RULES


def test_a_date_comes_back_as_a_midnight(there: Shop) -> None:
    dated = rule(Expiration={"Date": "2030-01-02"})
    assert put(there, dated).status == 200
    assert b"<Date>2030-01-02T00:00:00.000Z</Date>" in there.ask("GET", "/photos?lifecycle").body


def test_a_configuration_that_was_never_set_or_is_removed_is_told_as_such(there: Shop) -> None:
    assert code(there.ask("GET", "/photos?lifecycle")) == "NoSuchLifecycleConfiguration"
    assert there.ask("DELETE", "/photos?lifecycle").status == 204
    put(there, rule())
    assert there.ask("DELETE", "/photos?lifecycle").status == 204
    assert there.ask("GET", "/photos?lifecycle").status == 404
    assert there.service.buckets.get("photos").settings == {}


def test_rules_without_an_id_get_one_that_is_the_same_each_time() -> None:
    two = document(rule_without("ID"), rule_without("ID"))
    first, second = read_lifecycle(two)
    assert first["ID"] and second["ID"] and first["ID"] != second["ID"]
    assert read_lifecycle(two) == [first, second]
    assert read_lifecycle(write_lifecycle([first, second])) == [first, second]


def test_the_default_minimum_size_of_transitions_is_answered_as_it_was_asked(there: Shop) -> None:
    name = "x-amz-transition-default-minimum-object-size"
    assert put(there, rule()).header(name) == "all_storage_classes_128K"
    reply = there.ask("PUT", "/photos?lifecycle", document(rule()), headers={name: "varies_by_storage_class"})
    assert (reply.status, reply.header(name)) == (200, "varies_by_storage_class")
    assert there.ask("GET", "/photos?lifecycle").header(name) == "varies_by_storage_class"
    refused = there.ask("PUT", "/photos?lifecycle", document(rule()), headers={name: "any"})
    assert (refused.status, code(refused)) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    ("bad", "refusal"),
    [
        (rule(ID="a" * 256), InvalidArgument),
        (rule(Status="enabled"), MalformedXML),
        (rule(Prefix="both/"), MalformedXML),
        (rule_without("Filter"), MalformedXML),
        (rule_without("Expiration"), InvalidRequest),
        (rule(Expiration={}), MalformedXML),
        (rule(Expiration={"Days": 0}), InvalidArgument),
        (rule(Expiration={"Days": -1}), InvalidArgument),
        (rule(Expiration={"Days": 2**31}), MalformedXML),
        (rule(Expiration={"Days": 1, "Date": "2030-01-01"}), MalformedXML),
        (rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True}), MalformedXML),
        (rule(Expiration={"Date": "2030-01-01T12:00:00Z"}), InvalidArgument),
        (rule(Expiration={"Date": "20200101"}), InvalidArgument),
        (rule(NoncurrentVersionExpiration={"NewerNoncurrentVersions": 5}), MalformedXML),
        (rule(NoncurrentVersionExpiration={"NoncurrentDays": 0}), InvalidArgument),
        (rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}), InvalidArgument),
        (rule(AbortIncompleteMultipartUpload={}), MalformedXML),
        (rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0}), InvalidArgument),
        (rule(Filter={"Prefix": "a", "ObjectSizeLessThan": 5}), MalformedXML),
        (rule(Filter={"And": {"Prefix": "a"}}), MalformedXML),
        (rule(Filter={"Prefix": "a" * 1025}), InvalidRequest),
        (rule(Filter={"Tag": {"Key": "a" * 129, "Value": "a"}}), InvalidRequest),
        (rule(Filter={"ObjectSizeLessThan": -1}), InvalidRequest),
        (rule(Filter={"And": {"ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 5}}), InvalidRequest),
        (rule(Filter={"And": {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}}), InvalidRequest),
        (
            rule(Filter={"Tag": {"Key": "a", "Value": "1"}}, Expiration={"ExpiredObjectDeleteMarker": True}),
            InvalidRequest,
        ),
        (
            rule(Filter={"ObjectSizeLessThan": 5}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
            InvalidRequest,
        ),
        (
            rule_without(
                "Filter", Prefix="", NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 1}
            ),
            InvalidRequest,
        ),
        (
            rule_without("Filter", Prefix="", NoncurrentVersionTransitions=[old(1, "GLACIER_IR", 1)]),
            InvalidRequest,
        ),
    ],
    ids=str,
)
def test_a_bad_rule_is_refused_as_s3_does(bad: dict[str, Any], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        read_lifecycle(document(bad))


MIXED = "Found mixed 'Date' and 'Days' based"
TWICE = "'StorageClass' must be different for"
LATER = "must be greater than"


@pytest.mark.parametrize(
    ("transitions", "noncurrent", "refusal", "message"),
    [
        ([{"StorageClass": "GLACIER_IR"}], [], MalformedXML, ""),
        ([{"Days": 1}], [], MalformedXML, ""),
        ([days(1, "GLACIER_IR") | date("2030-01-01", "GLACIER_IR")], [], MalformedXML, ""),
        ([days(1, "GOLD")], [], MalformedXML, ""),
        ([days(2**31, "GLACIER_IR")], [], MalformedXML, ""),
        ([days(1, "STANDARD")], [], InvalidArgument, "Invalid target Storage class"),
        ([], [old(1, "REDUCED_REDUNDANCY")], InvalidArgument, "Invalid target Storage class"),
        ([days(-1, "GLACIER_IR")], [], InvalidArgument, "'Days' in Transition action must be nonnegative"),
        ([date("20220927", "GLACIER")], [], InvalidArgument, "midnight"),
        ([date("2030-01-01T12:00:00Z", "GLACIER_IR")], [], InvalidArgument, "midnight"),
        ([days(29, "STANDARD_IA")], [], InvalidArgument, "or equal to 30 for storageClass 'STANDARD_IA'"),
        (
            [],
            [old(0, "ONEZONE_IA")],
            InvalidArgument,
            "'NoncurrentDays' in NoncurrentVersionTransition action must be greater",
        ),
        ([days(1, "GLACIER_IR"), days(2, "GLACIER_IR")], [], InvalidRequest, TWICE),
        ([], [old(1, "GLACIER"), old(2, "GLACIER")], InvalidRequest, f"{TWICE} 'NoncurrentVersionTransition'"),
        ([days(1, "GLACIER_IR"), date("2030-01-01", "GLACIER")], [], InvalidRequest, f"{MIXED} Transition"),
        ([date("2030-01-01", "GLACIER_IR")], [], InvalidRequest, f"{MIXED} Expiration and Transition"),
        ([days(9, "INTELLIGENT_TIERING"), days(9, "GLACIER_IR")], [], InvalidArgument, LATER),
        ([days(8, "GLACIER_IR"), days(9, "INTELLIGENT_TIERING")], [], InvalidArgument, LATER),
        ([days(30, "ONEZONE_IA"), days(90, "GLACIER_IR")], [], InvalidArgument, LATER),
        ([days(30, "STANDARD_IA"), days(59, "GLACIER_IR")], [], InvalidArgument, "30 days more than"),
        ([days(99, "GLACIER"), days(70, "ONEZONE_IA")], [], InvalidArgument, "30 days more than"),
        ([days(300, "GLACIER_IR")], [], InvalidArgument, "'Days' in the Expiration action for filter '(prefix=log/)'"),
        ([], [old(1, "NONE")], MalformedXML, ""),
        ([], [{"StorageClass": "GLACIER_IR"}], MalformedXML, ""),
        ([], [{"NoncurrentDays": 1}], MalformedXML, ""),
        ([], [old(-1, "GLACIER_IR")], InvalidArgument, "must be nonnegative"),
        ([], [old(1, "GLACIER_IR", 101)], InvalidArgument, "at most 100"),
        ([], [old(9, "GLACIER_IR"), old(9, "INTELLIGENT_TIERING")], InvalidArgument, LATER),
        ([], [old(200, "GLACIER_IR")], InvalidArgument, "'NoncurrentDays' in the NoncurrentVersionExpiration action"),
    ],
    ids=str,
)
def test_transitions_that_s3_does_not_do_are_refused(
    transitions: list[dict[str, Any]], noncurrent: list[dict[str, Any]], refusal: type[Refusal], message: str
) -> None:
    parts: dict[str, Any] = {"Transitions": transitions, "NoncurrentVersionTransitions": noncurrent}
    ends = {"Expiration": {"Days": 300}, "NoncurrentVersionExpiration": {"NoncurrentDays": 200}}
    with pytest.raises(refusal) as refused:
        read_lifecycle(document(rule(**ends, **{name: part for name, part in parts.items() if part})))
    assert message in refused.value.message


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"Filter": {}}, "(prefix=)"),
        ({"Prefix": "log/"}, "(prefix=log/)"),
        ({"Filter": {"Tag": {"Key": "a", "Value": "1"}}}, "(tag={key=a, value=1})"),
        ({"Filter": {"ObjectSizeLessThan": 5}}, "(objectsizelessthan=5)"),
        (
            {
                "Filter": {
                    "And": {
                        "Prefix": "x",
                        "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
                        "ObjectSizeGreaterThan": 4,
                    }
                }
            },
            "(prefix=x and tag={key=a, value=1} and tag={key=b, value=2} and objectsizegreaterthan=4)",
        ),
    ],
)
def test_a_refusal_names_what_the_rule_chooses_by(chosen: dict[str, Any], told: str) -> None:
    twice = {"Transitions": [days(1, "GLACIER_IR"), days(2, "GLACIER_IR")]}
    with pytest.raises(InvalidRequest) as refused:
        read_lifecycle(document({"ID": "one", "Status": "Enabled", **chosen, **twice}))
    assert refused.value.message.endswith(f"filter '{told}'")


@pytest.mark.parametrize(
    "text",
    [
        b"<LifecycleConfiguration/>",
        b"<LifecycleConfiguration><Some/></LifecycleConfiguration>",
        b"<CORSConfiguration/>",
        document(rule()).replace(b"<Days>30", b"<Days>thirty"),
        document(rule()).replace(b"<Days>30</Days>", b"<Days>30</Days><Days>31</Days>"),
        document(rule()).replace(b"<Days>30</Days>", b"<Date>tomorrow</Date>"),
        document(rule()).replace(b"<Days>30</Days>", b"<Months>1</Months>"),
        document(rule()).replace(b"<Days>30</Days>", b"<ExpiredObjectDeleteMarker>maybe</ExpiredObjectDeleteMarker>"),
    ],
)
def test_what_the_schema_does_not_have_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedXML):
        read_lifecycle(text)


def test_ids_are_given_once_and_rules_are_a_thousand_at_most() -> None:
    with pytest.raises(InvalidArgument):
        read_lifecycle(document(rule(), rule()))
    many = [rule(ID=str(number)) for number in range(1001)]
    assert len(read_lifecycle(document(*many[:1000]))) == 1000
    with pytest.raises(InvalidRequest):
        read_lifecycle(document(*many))


def test_a_transition_to_a_date_comes_back_as_a_midnight(there: Shop) -> None:
    dated = {"Expiration": {"Date": "2030-02-03"}, "Transitions": [date("2030-01-02", "STANDARD_IA")]}
    assert put(there, rule(**dated)).status == 200
    kept = {"Date": "2030-01-02T00:00:00.000Z", "StorageClass": "STANDARD_IA"}
    assert there.service.buckets.get("photos").settings["lifecycle"][0]["Transitions"] == [kept]
    assert b"<Transition><Date>2030-01-02T00:00:00.000Z</Date>" in there.ask("GET", "/photos?lifecycle").body


@pytest.mark.parametrize("target", ["GLACIER", "DEEP_ARCHIVE"])
@pytest.mark.parametrize("action", ["Transitions", "NoncurrentVersionTransitions"])
def test_a_class_that_is_read_only_after_a_restore_is_refused_and_the_former_rules_stay(
    there: Shop, action: str, target: str
) -> None:
    put(there, rule())
    one = days(1, target) if action == "Transitions" else old(1, target)
    reply = put(there, rule(**{action: [one]}))
    assert (reply.status, code(reply)) == (501, "NotImplemented")
    assert there.service.buckets.get("photos").settings["lifecycle"] == [rule()]
    assert there.ask("PUT", "/photos/cat", b"", headers={"x-amz-storage-class": target}).status == 501


def test_an_empty_body_changes_nothing(there: Shop) -> None:
    put(there, rule())
    assert code(there.ask("PUT", "/photos?lifecycle")) == "MissingRequestBodyError"
    assert there.ask("GET", "/photos?lifecycle").status == 200


@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_any_text_that_xml_can_carry_comes_back(identifier: str, prefix: str) -> None:
    written = write_lifecycle([rule(ID=identifier, Filter={"Prefix": prefix})])
    (once,) = read_lifecycle(written)
    assert read_lifecycle(write_lifecycle([once])) == [once]
    if identifier.isprintable() and prefix.isprintable():
        assert once == rule(ID=identifier, Filter={"Prefix": prefix})


# ---- what answers tell ---------------------------------------------------------------------------------------------------------

EXPIRATION = 'expiry-date="Tue, 22 Dec 2026 00:00:00 GMT", rule-id="after%2030%20days%22"'


@pytest.fixture
def ruled(there: Shop) -> Shop:
    tagged = rule(ID="tagged", Filter={"Tag": {"Key": "short", "Value": "yes"}}, Expiration={"Days": 1})
    aborting = rule_without("Expiration", ID="abort", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7})
    assert put(there, rule(ID='after 30 days"'), tagged, aborting).status == 200
    return there


def test_every_answer_about_an_object_tells_when_it_will_go(ruled: Shop) -> None:
    replies = [
        ruled.ask("PUT", "/photos/log/a", b"data"),
        ruled.ask("GET", "/photos/log/a"),
        ruled.ask("HEAD", "/photos/log/a"),
        ruled.ask("GET", "/photos/log/a", headers={"range": "bytes=1-2"}),
        ruled.ask("PUT", "/photos/log/b", headers={"x-amz-copy-source": "photos/log/a"}),
    ]
    assert [reply.header("x-amz-expiration") for reply in replies] == [EXPIRATION] * len(replies)


def test_an_object_that_no_rule_concerns_stays_and_its_answers_say_nothing(ruled: Shop) -> None:
    for reply in (ruled.ask("PUT", "/photos/cat", b"data"), ruled.ask("GET", "/photos/cat")):
        assert (reply.status, reply.header("x-amz-expiration")) == (200, None)


def test_tags_choose_the_rule_that_is_told(ruled: Shop) -> None:
    reply = ruled.ask("PUT", "/photos/log/c", b"data", headers={"x-amz-tagging": "short=yes&long=no"})
    assert 'rule-id="tagged"' in (reply.header("x-amz-expiration") or "")
    assert 'rule-id="tagged"' in (ruled.ask("HEAD", "/photos/log/c").header("x-amz-expiration") or "")


def test_a_rule_that_outlives_the_calendar_is_told_with_its_last_day(there: Shop) -> None:
    put(there, rule(Filter={}, Expiration={"Days": 2**31 - 1}))
    reply = there.ask("PUT", "/photos/cat", b"data")
    assert reply.header("x-amz-expiration") == 'expiry-date="Fri, 31 Dec 9999 00:00:00 GMT", rule-id="one"'


def test_a_transition_is_told_by_no_answer(there: Shop) -> None:
    put(there, rule_without("Expiration", Filter={}, Transitions=[days(0, "GLACIER_IR")]))
    assert there.ask("PUT", "/photos/cat", b"data").header("x-amz-expiration") is None


def test_a_version_that_was_named_tells_nothing(ruled: Shop) -> None:
    ruled.ask("PUT", "/photos/log/a", b"data")
    assert ruled.ask("GET", "/photos/log/a?versionId=null").header("x-amz-expiration") is None


def test_a_multipart_upload_tells_when_it_will_be_aborted_and_its_object_when_it_will_go(ruled: Shop) -> None:
    begun = ruled.ask("POST", "/photos/log/m?uploads")
    upload_id = read("CreateMultipartUpload", begun)["UploadId"]
    etag = ruled.ask("PUT", f"/photos/log/m?partNumber=1&uploadId={upload_id}", b"data").header("etag")
    listed = ruled.ask("GET", f"/photos/log/m?uploadId={upload_id}")
    for reply in (begun, listed):
        assert reply.header("x-amz-abort-date") == "Sun, 29 Nov 2026 00:00:00 GMT"
        assert reply.header("x-amz-abort-rule-id") == "abort"
    parts = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    done = ruled.ask("POST", f"/photos/log/m?uploadId={upload_id}", parts.encode())
    assert (done.status, done.header("x-amz-expiration")) == (200, EXPIRATION)
    assert ruled.ask("POST", "/photos/cat?uploads").header("x-amz-abort-date") is None
