"""Who is told of what: configurations, and the events that operations leave in the queue."""

import json

import pytest

from gecko_tw.jobs.notifications import body_of
from tests.resources.asking import Shop, shop

ARN = "arn:minio:sqs::hook:webhook"


def configuration(*events: str, rules: str = "", arn: str = ARN) -> bytes:
    inside = f"<Queue>{arn}</Queue>" + "".join(f"<Event>{event}</Event>" for event in events)
    if rules:
        inside += f"<Filter><S3Key>{rules}</S3Key></Filter>"
    return f"<NotificationConfiguration><QueueConfiguration><Id>one</Id>{inside}</QueueConfiguration></NotificationConfiguration>".encode()


ENTRY = f"<QueueConfiguration><Queue>{ARN}</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration>"
MANY = f"<NotificationConfiguration>{ENTRY * 101}</NotificationConfiguration>".encode()


@pytest.fixture
def here() -> Shop:
    made = shop()
    made.service.delivers = lambda target: target == ARN
    made.ask("PUT", "/photos")
    return made


def told(here: Shop) -> list[dict]:
    """The events that wait, and no longer do."""
    waiting = here.service.notices.waiting(ARN, 100)
    here.service.notices.drop([number for number, _ in waiting])
    return [event for _, event in waiting]


def watch(here: Shop, *events: str, **more: str) -> None:
    assert here.ask("PUT", "/photos?notification", configuration(*events, **more)).status == 200
    assert [event["Event"] for event in told(here)] == ["s3:TestEvent"]


def test_a_configuration_comes_back_and_an_empty_one_ends_it(here):
    assert b"<Queue>" not in here.ask("GET", "/photos?notification").body
    rules = "<FilterRule><Name>prefix</Name><Value>a&amp;/</Value></FilterRule>"
    given = configuration("s3:ObjectCreated:*", rules=rules)
    here.ask("PUT", "/photos?notification", given)
    inside = given.decode().removeprefix("<NotificationConfiguration>")
    assert inside in here.ask("GET", "/photos?notification").body.decode()
    told(here)
    here.ask("PUT", "/photos?notification", b"<NotificationConfiguration/>")
    here.ask("PUT", "/photos/k", b"x")
    assert told(here) == []


def test_each_operation_tells_its_event(here):
    watch(here, "s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:ObjectAcl:Put")
    tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    here.ask("PUT", "/photos/k", b"meow")
    here.ask("PUT", "/photos/copy", headers={"x-amz-copy-source": "/photos/k"})
    here.ask("PUT", "/photos/k?tagging", tags)
    here.ask("DELETE", "/photos/k?tagging")
    here.ask("PUT", "/photos/k?acl", headers={"x-amz-acl": "public-read"})
    here.ask("DELETE", "/photos/k")
    here.ask("DELETE", "/photos/nothing-there")
    here.ask("POST", "/photos?delete", b"<Delete><Object><Key>copy</Key></Object></Delete>")
    events = told(here)
    later = {event["eventName"] for event in events if event["eventVersion"] == "2.3"}
    assert later == {"ObjectTagging:Put", "ObjectTagging:Delete", "ObjectAcl:Put"}
    assert {event["eventVersion"] for event in events} == {"2.1", "2.3"}
    assert [event["eventName"] for event in events] == [
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectTagging:Put",
        "ObjectTagging:Delete",
        "ObjectAcl:Put",
        "ObjectRemoved:Delete",
        "ObjectRemoved:Delete",
    ]


def test_a_refused_write_tells_nothing(here):
    watch(here, "s3:ObjectCreated:*")
    here.ask("PUT", "/photos/k", b"x", headers={"if-match": '"0"'})
    here.ask("PUT", "/photos/k", b"x", headers={"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="})
    assert told(here) == []


def test_an_event_says_what_and_who_and_where(here):
    watch(here, "s3:ObjectCreated:Put")
    answer = here.ask("PUT", "/photos/a b/ü+.jpg", b"meow")
    (event,) = told(here)
    item = json.loads(body_of(255, event))["Records"][0]
    assert item["s3"]["object"] == {
        "key": "a+b/%C3%BC%2B.jpg",
        "size": 4,
        "eTag": answer.header("ETag").strip('"'),
        "sequencer": "00000000000000FF",
    }
    assert item["s3"]["bucket"]["name"] == "photos"
    assert item["s3"]["configurationId"] == "one"
    assert item["responseElements"]["x-amz-request-id"] == answer.header("x-amz-request-id")
    assert item["requestParameters"]["sourceIPAddress"] == "192.0.2.1"
    assert item["eventTime"].endswith("Z")


def test_versions_are_named_and_markers_told_apart(here):
    here.ask(
        "PUT",
        "/photos?versioning",
        b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    )
    watch(here, "s3:ObjectCreated:*", "s3:ObjectRemoved:*")
    version = here.ask("PUT", "/photos/k", b"x").header("x-amz-version-id")
    marker = here.ask("DELETE", "/photos/k").header("x-amz-version-id")
    here.ask("DELETE", f"/photos/k?versionId={version}")
    events = [(event["eventName"], event["s3"]["object"]["versionId"]) for event in told(here)]
    assert events == [
        ("ObjectCreated:Put", version),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
        ("ObjectRemoved:Delete", version),
    ]


def test_filters_choose_keys(here):
    rules = (
        "<FilterRule><Name>prefix</Name><Value>a/</Value></FilterRule>"
        "<FilterRule><Name>Suffix</Name><Value>.jpg</Value></FilterRule>"
    )
    watch(here, "s3:ObjectCreated:*", rules=rules)
    for key in ("a/1.jpg", "b/1.jpg", "a/1.png"):
        here.ask("PUT", f"/photos/{key}", b"x")
    assert [event["s3"]["object"]["key"] for event in told(here)] == ["a/1.jpg"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (configuration("s3:ObjectCreated:*", arn="arn:aws:sqs:::other"), b"InvalidArgument"),
        (configuration("s3:ObjectEaten:*"), b"InvalidArgument"),
        (configuration(), b"MalformedXML"),
        (
            configuration("s3:ObjectCreated:*", rules="<FilterRule><Name>infix</Name><Value>x</Value></FilterRule>"),
            b"InvalidArgument",
        ),
        (
            configuration(
                "s3:ObjectCreated:*", rules="<FilterRule><Name>prefix</Name><Value>x</Value></FilterRule>" * 2
            ),
            b"InvalidArgument",
        ),
        (b"<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>", b"InvalidArgument"),
        (b"<NotificationConfiguration><Other/></NotificationConfiguration>", b"MalformedXML"),
        (MANY, b"InvalidArgument"),
    ],
)
def test_what_cannot_be_kept_is_refused(here, document, code):
    answer = here.ask("PUT", "/photos?notification", document)
    assert (answer.status, code in answer.body) == (400, True)
    assert told(here) == []


def entry(event: str, prefix: str = "", suffix: str = "", kind: str = "Queue") -> str:
    rules = "".join(
        f"<FilterRule><Name>{name}</Name><Value>{value}</Value></FilterRule>"
        for name, value in (("Prefix", prefix), ("suffix", suffix))
        if value
    )
    element = {"Queue": "QueueConfiguration", "Topic": "TopicConfiguration"}[kind]
    chosen = f"<Filter><S3Key>{rules}</S3Key></Filter>" if rules else ""
    return f"<{element}><{kind}>{ARN}</{kind}><Event>s3:{event}</Event>{chosen}</{element}>"


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (entry("ObjectCreated:*"), entry("ObjectCreated:*"), 400),
        (entry("ObjectCreated:*"), entry("ObjectCreated:Put"), 400),
        (entry("ObjectCreated:Put"), entry("ObjectCreated:*", prefix="a"), 400),
        (entry("ObjectCreated:Put"), entry("ObjectCreated:Put", suffix=".jpg", kind="Topic"), 400),
        (entry("ObjectCreated:Put", prefix="ab"), entry("ObjectCreated:Put", prefix="a"), 400),
        (entry("ObjectCreated:Put", suffix=".jpg"), entry("ObjectCreated:Put", suffix="a.jpg"), 400),
        (entry("ObjectCreated:Put", prefix="a"), entry("ObjectCreated:Put", suffix=".jpg"), 400),
        (entry("ObjectCreated:Put", "a", ".jpg"), entry("ObjectCreated:Put", "ab", ".jpg"), 400),
        (entry("ObjectCreated:Put", "a", ".jpg"), entry("ObjectCreated:Put", "a", ".png"), 200),
        (entry("ObjectCreated:Put", "a", ".jpg"), entry("ObjectCreated:Put", "b", ".jpg"), 200),
        (entry("ObjectCreated:Put"), entry("ObjectCreated:Post"), 200),
        (entry("ObjectCreated:*"), entry("ObjectRemoved:*"), 200),
        (entry("ObjectRemoved:Delete"), entry("ObjectRemoved:DeleteMarkerCreated"), 200),
    ],
)
def test_no_event_of_a_key_is_told_by_two_rules(here, first, second, status):
    for document in (first + second, second + first):
        body = f"<NotificationConfiguration>{document}</NotificationConfiguration>".encode()
        answer = here.ask("PUT", "/photos?notification", body)
        assert (answer.status, b"<Code>InvalidArgument</Code>" in answer.body) == (status, status == 400)


@pytest.mark.parametrize("arn", ["http://192.0.2.1/", "arn:a:b::c\nanother line:webhook", "arn:" + "x" * 2000])
def test_a_destination_that_is_not_validated_is_an_arn_in_one_line(here, arn):
    skip = {"x-amz-skip-destination-validation": "true"}
    answer = here.ask("PUT", "/photos?notification", configuration("s3:ObjectCreated:*", arn=arn), headers=skip)
    assert (answer.status, b"InvalidArgument" in answer.body) == (400, True)


def test_nobody_waits_for_the_test_event_of_a_destination_that_is_none(here):
    skip = {"x-amz-skip-destination-validation": "true"}
    document = configuration("s3:ObjectCreated:*", arn="arn:aws:sqs:::other")
    assert here.ask("PUT", "/photos?notification", document, headers=skip).status == 200
    assert here.service.notices.targets() == []
