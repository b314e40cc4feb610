"""What requests leave in the access logs of buckets, and the objects that these become."""

import pytest
from attrs import evolve
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher

from gecko_tw.callers.signatures.presigned import iso_time
from gecko_tw.jobs.access_log_delivery import AccessLogs
from gecko_tw.resources.access_logs.objects import LogObjects
from gecko_tw.store.requests import ListRequest, Remove
from tests.resources.accounts import ask, market, put_policy
from tests.resources.asking import NOW, FakeUpload, HeldPool, InlinePool, Shop, shop
from tests.resources.families.test_logging_settings import grant, partitioned, status
from tests.resources.log_lines import parsed_all


def with_logs(there: Shop) -> Shop:
    """The same service, which writes access logs when it is told to."""
    there.service.server_log = AccessLogs(Clock(), InlinePool(), LogObjects(there.service).write, 300.0)
    return there


@pytest.fixture
def there() -> Shop:
    there, _ = market()
    with_logs(there)
    for name in ("photos", "logs"):
        ask(there, "main", "PUT", f"/{name}")
    assert ask(there, "main", "PUT", "/photos?logging", status()).status == 200
    return there


def delivered(there: Shop, bucket: str = "logs") -> dict[str, bytes]:
    """What is in a bucket of logs, by key, after everything has been written; the bucket is emptied."""
    service = there.service
    service.server_log.stopService()
    found = {}
    while keys := [entry.key for entry in service.objects.page(bucket, ListRequest()).entries]:
        for key in keys:
            reading = service.objects.open(bucket, key)
            found[key.decode()] = reading.read(0, reading.version.size)
            reading.close()
            service.objects.remove(bucket, key, Remove(now=0))
    return found


def told(there: Shop) -> list[dict[str, str]]:
    """The lines of all logs in the bucket ``logs``."""
    return [line for body in delivered(there).values() for line in parsed_all(body)]


def test_each_request_is_one_line_with_its_fields(there):
    delivered(there)
    answers = [
        ask(there, "main", "PUT", "/photos/a%20b", b"meow", user_agent="cat/1"),
        ask(there, "ann", "GET", "/photos/a%20b", range="bytes=1-2", referer="https://x.test/"),
        ask(there, "main", "HEAD", "/photos/a%20b"),
        ask(there, None, "GET", "/photos/a%20b"),
        ask(there, "main", "GET", "/photos/none"),
        ask(there, "main", "DELETE", "/photos/a%20b?versionId=null"),
        ask(there, "main", "GET", "/photos?versioning"),
    ]
    lines = told(there)
    assert [line["request_id"] for line in lines] == [answer.header("x-amz-request-id") for answer in answers]
    names = ("operation", "key", "status", "error", "sent", "size", "requester", "version_id")
    key, body = "a%2520b", [str(len(answer.body)) for answer in answers]
    ann = "arn:aws:iam::main:user/ann"
    assert [tuple(line[name] for name in names) for line in lines] == [
        ("REST.PUT.OBJECT", key, "200", "-", "-", "4", "main", "-"),
        ("REST.GET.OBJECT", key, "206", "-", "2", "4", ann, "-"),
        ("REST.HEAD.OBJECT", key, "200", "-", "-", "4", "main", "-"),
        ("REST.GET.OBJECT", key, "403", "AccessDenied", body[3], "-", "-", "-"),
        ("REST.GET.OBJECT", "none", "404", "NoSuchKey", body[4], "-", "main", "-"),
        ("REST.DELETE.OBJECT", key, "204", "-", "-", "-", "main", "null"),
        ("REST.GET.VERSIONING", "-", "200", "-", body[6], "-", "main", "-"),
    ]
    assert {line["owner"] for line in lines} == {"main"}
    assert {line["bucket"] for line in lines} == {"photos"}
    assert {line["address"] for line in lines} == {"192.0.2.1"}
    assert lines[0]["uri"] == "PUT /photos/a%20b HTTP/1.1"
    assert (lines[0]["agent"], lines[1]["referer"], lines[2]["agent"]) == ("cat/1", "https://x.test/", "-")
    assert (lines[0]["authentication"], lines[0]["signature"], lines[3]["authentication"]) == (
        "AuthHeader",
        "SigV4",
        "-",
    )
    assert lines[0]["host_id"] == answers[0].header("x-amz-id-2")
    assert lines[0]["host"] == "s3.test"
    assert (lines[0]["turned"], lines[1]["turned"]) == ("-", "0")


def test_a_log_begins_after_the_request_for_it_and_ends_with_the_one_that_ends_it(there):
    ask(there, "main", "PUT", "/photos?logging", b"<BucketLoggingStatus/>")
    ask(there, "main", "GET", "/photos?acl")
    assert [line["operation"] for line in told(there)] == ["REST.PUT.LOGGING_STATUS"]


def test_buckets_without_a_log_have_none(there):
    delivered(there)
    ask(there, "main", "PUT", "/logs/k", b"x")
    ask(there, "main", "GET", "/none/k")
    ask(there, "main", "GET", "/")
    there.service.objects.remove("logs", b"k", Remove(now=0))
    assert told(there) == []


def test_a_log_in_its_own_bucket_does_not_feed_itself(there):
    ask(there, "main", "PUT", "/logs?logging", status("logs", "self/"))
    ask(there, "main", "GET", "/logs")
    delivered(there)
    assert delivered(there) == {}
    assert delivered(there) == {}


def test_who_could_not_be_believed_is_in_the_log_too():
    here = with_logs(shop(auth=True))
    here.service.authenticator._enabled = False
    for name in ("photos", "logs"):
        here.ask("PUT", f"/{name}")
    here.ask("PUT", "/photos?logging", status())
    here.service.authenticator._enabled = True
    delivered(here)
    url = f"/photos/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=key%2F{iso_time(NOW)[:4]}"
    for target, headers in (
        ("/photos/k", {"authorization": "AWS4-HMAC-SHA256 Credential=nobody"}),
        (url + "&X-Amz-Signature=secret", {}),
        ("/photos?torrent", {}),
        ("/photos?policy", {}),
    ):
        assert here.ask("GET", target, headers=headers).status >= 400
    lines = told(here)
    assert [line["requester"] for line in lines] == ["-"] * 4
    assert all(line["error"] != "-" for line in lines)
    assert "X-Amz-Signature=***" in lines[1]["uri"]
    assert "secret" not in str(lines)


def test_a_preflight_and_an_anonymous_form_are_lines(there):
    delivered(there)
    ask(there, None, "OPTIONS", "/photos/k", origin="https://x.test", access_control_request_method="GET")
    part = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    form = part % (b"key", b"k") + part % (b"file", b"x") + b"--b--"
    ask(there, None, "POST", "/photos", form, content_type="multipart/form-data; boundary=b")
    assert [(line["operation"], line["status"]) for line in told(there)] == [
        ("REST.OPTIONS.PREFLIGHT", "200"),
        ("REST.POST.BUCKET", "403"),
    ]


def test_a_page_of_a_website_is_a_line():
    here = with_logs(shop(website_domains=("web.test",)))
    for name in ("photos", "logs"):
        here.ask("PUT", f"/{name}")
    website = b"<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>"
    here.ask("PUT", "/photos?website", website)
    here.ask("PUT", "/photos?logging", status())
    delivered(here)
    here.ask("GET", "/none", headers={"host": "photos.web.test"})
    (line,) = told(here)
    assert (line["operation"], line["status"], line["host"]) == ("WEBSITE.GET.OBJECT", "403", "photos.web.test")


def test_every_key_of_a_batch_has_a_line(there):
    ask(there, "main", "PUT", "/photos/a", b"x")
    delivered(there)
    wanted = b"<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object><Object><Key>b c</Key><VersionId>x</VersionId></Object></Delete>"
    ask(there, "main", "POST", "/photos?delete", wanted)
    whole, *each = told(there)
    assert (whole["operation"], whole["key"], whole["status"]) == ("REST.POST.MULTI_OBJECT_DELETE", "-", "200")
    names = ("operation", "key", "status", "error", "version_id", "uri", "total", "agent", "requester", "request_id")
    assert [tuple(line[name] for name in names) for line in each] == [
        ("BATCH.DELETE.OBJECT", "a", "204", "-", "-", "-", "-", "-", "main", whole["request_id"]),
        ("BATCH.DELETE.OBJECT", "b%2520c", "404", "NoSuchVersion", "x", "-", "-", "-", "main", whole["request_id"]),
    ]


def test_the_source_of_a_copy_has_a_line_in_the_log_of_its_own_bucket(there):
    ask(there, "main", "PUT", "/photos/a", b"x")
    ask(there, "main", "PUT", "/plain")
    delivered(there)
    assert ask(there, "main", "PUT", "/plain/copy", x_amz_copy_source="/photos/a").status == 200
    assert ask(there, "alt", "PUT", "/plain/copy", x_amz_copy_source="/photos/a").status == 403
    assert ask(there, "main", "PUT", "/photos/b", x_amz_copy_source="/photos/a").status == 200
    found = [(line["operation"], line["key"], line["status"], line["bucket"]) for line in told(there)]
    assert found == [
        ("REST.COPY.OBJECT_GET", "a", "200", "photos"),
        ("REST.COPY.OBJECT", "b", "200", "photos"),
        ("REST.COPY.OBJECT_GET", "a", "200", "photos"),
    ]


def test_a_client_that_leaves_is_a_line(there):
    delivered(there)
    request = there.send("PUT", "/photos/k", headers={"authorization": "main"}, upload=FakeUpload([b"x"], 9, held=True))
    request.leave()
    (line,) = told(there)
    assert (line["status"], line["operation"], line["size"]) == ("499", "REST.PUT.OBJECT", "-")


def test_what_went_wrong_is_a_line(there, logged_failures):
    delivered(there)
    there.service.objects = evolve(there.service.objects, blobs=None)
    ask(there, "main", "PUT", "/photos/k", b"x")
    logged_failures.take(AttributeError)
    there.service.objects = evolve(there.service.objects, blobs=there.service.uploads.objects.blobs)
    (line,) = told(there)
    assert (line["status"], line["error"]) == ("500", "InternalError")


@pytest.mark.parametrize(
    ("more", "pattern"),
    [
        ("", "p/2026-11-21-03-00-00-"),
        (partitioned("DeliveryTime"), "p/main/us-east-1/photos/2026/11/21/2026-11-21-03-00-00-"),
        (partitioned("EventTime"), "p/main/us-east-1/photos/2026/11/19/2026-11-19-00-00-00-"),
    ],
)
def test_the_names_of_objects_tell_when(there, more, pattern):
    ask(there, "main", "PUT", "/photos?logging", status(more=more))
    delivered(there)
    there.clock.rightNow = NOW - 2 * 86400
    ask(there, "main", "GET", "/photos")
    there.clock.rightNow = NOW
    (key,) = delivered(there)
    assert key.startswith(pattern)
    assert len(key) == len(pattern) + 16
    assert int(key[-16:], 16) >= 0


def newest(there):
    there.service.server_log.stopService()
    (entry,) = there.service.objects.page("logs", ListRequest()).entries
    return there.service.objects.look("logs", entry.key)


def test_an_object_belongs_to_the_owner_and_whom_grants_name_may_read_it(there):
    ask(there, "main", "PUT", "/photos?logging", status(more=grant()))
    delivered(there)
    ask(there, "main", "GET", "/photos")
    version = newest(there)
    assert version.owner == "main"
    assert version.headers == {"content-type": "text/plain"}
    (entry,) = there.service.objects.page("logs", ListRequest()).entries
    assert ask(there, "alt", "GET", f"/logs/{entry.key.decode()}").status == 200
    assert ask(there, "bob", "GET", f"/logs/{entry.key.decode()}").status == 403


def test_a_target_that_encrypts_gets_encrypted_logs(there):
    default = (
        b"<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
    )
    rule = b"<ServerSideEncryptionConfiguration><Rule>" + default + b"</Rule></ServerSideEncryptionConfiguration>"
    assert ask(there, "main", "PUT", "/logs?encryption", rule).status == 200
    ask(there, "main", "GET", "/photos")
    assert newest(there).extra["sse"]["kind"] == "AES256"


def test_who_watches_the_target_is_told(there):
    there.service.delivers = lambda target: True
    watch = (
        b"<NotificationConfiguration><QueueConfiguration><Id>one</Id><Queue>arn:minio:sqs::hook:webhook</Queue>"
        b"<Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>"
    )
    assert ask(there, "main", "PUT", "/logs?notification", watch).status == 200
    ask(there, "main", "GET", "/photos")
    newest(there)
    waiting = [event for _, event in there.service.notices.waiting("arn:minio:sqs::hook:webhook", 10)]
    assert [event.get("eventName") for event in waiting] == [None, "ObjectCreated:Put"]


@pytest.fixture
def troubles():
    events = []
    globalLogPublisher.addObserver(events.append)
    yield lambda: [formatEvent(event) for event in events]
    globalLogPublisher.removeObserver(events.append)


def test_a_policy_that_denies_later_stops_the_delivery_and_is_told(there, troubles):
    put_policy(there, "logs", {"Effect": "Deny", "Action": "s3:PutObject"})
    ask(there, "main", "GET", "/photos")
    assert delivered(there) == {}
    assert any("policy of the bucket denies" in message for message in troubles())


def test_a_target_of_somebody_else_gets_nothing(there, troubles):
    ask(there, "main", "DELETE", "/logs")
    ask(there, "alt", "PUT", "/logs")
    ask(there, "main", "GET", "/photos")
    assert delivered(there) == {}
    assert any("another account" in message for message in troubles())


def test_a_catalog_that_is_slow_is_asked_in_a_thread():
    pool = HeldPool()
    here = with_logs(shop(pool=pool, quick=False))
    request = here.send("GET", "/none?torrent")
    assert not request.finished
    pool.work()
    assert request.status == 501
