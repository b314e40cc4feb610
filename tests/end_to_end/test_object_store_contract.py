"""What a search engine that keeps its indices in an object store requires of it: nineteen requirements, as Elasticsearch states them
in "Blob Store Requirements for S3-Compatible Backends", each by a test of our own through two workers.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.end_to_end.connections import SlowUpload
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.processes import kill_family

PART = 5 * 1024 * 1024
BUCKET = "repository"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with Daemon(tmp_path_factory.mktemp("contract"), "--workers=2") as running:
        running.client().create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture
def s3(daemon):
    return node(daemon)


def node(daemon):
    """A client with connections of its own: another machine, as the store sees it."""
    return daemon.client(config=Config(retries={"max_attempts": 1}, max_pool_connections=20))


def put(s3, key, body=b"x", **more):
    return s3.put_object(Bucket=BUCKET, Key=key, Body=body, **more)


def get(s3, key, **more):
    return s3.get_object(Bucket=BUCKET, Key=key, **more)["Body"].read()


def keys(s3, prefix, **more):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix, **more)
    return [entry["Key"] for page in pages for entry in page.get("Contents", ())]


def upload(s3, key, *bodies):
    """A started upload and its parts, sent at once from several threads."""
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]

    def send(number):
        sent = s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload_id, PartNumber=number, Body=bodies[number - 1])
        return {"PartNumber": number, "ETag": sent["ETag"]}

    with ThreadPoolExecutor(8) as pool:
        return upload_id, list(pool.map(send, range(1, len(bodies) + 1)))


def complete(s3, key, upload_id, parts, **more):
    return s3.complete_multipart_upload(
        Bucket=BUCKET, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}, **more
    )


def began(daemon, key):
    """A PUT of which half of the body was sent; it names its signature in the URL, as anybody's tool would."""
    signer = daemon.client(config=Config(signature_version="s3"))
    url = signer.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": key})
    upload = SlowUpload(daemon, url.removeprefix(daemon.url), 100_000)
    upload.send(bytes(50_000))
    return upload


def refused(status, code, call, **arguments):
    with pytest.raises(ClientError) as error:
        call(Bucket=BUCKET, **arguments)
    answer = error.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)


def test_1_statuses_are_those_of_s3(s3):
    refused(404, "NoSuchKey", s3.get_object, Key="1/absent")
    refused(404, "404", s3.head_object, Key="1/absent")
    refused(404, "NoSuchUpload", s3.upload_part, Key="1/k", UploadId="nonsense", PartNumber=1, Body=b"")
    refused(404, "NoSuchUpload", s3.abort_multipart_upload, Key="1/k", UploadId="nonsense")
    put(s3, "1/k")
    refused(412, "PreconditionFailed", s3.put_object, Key="1/k", Body=b"y", IfNoneMatch="*")
    refused(412, "PreconditionFailed", s3.put_object, Key="1/k", Body=b"y", IfMatch='"0"')


def test_2_what_was_written_is_what_is_read(s3):
    bodies = {f"2/{size}": os.urandom(size) for size in (0, 1, 4095, 65_536, 1_000_003)}
    for key, body in bodies.items():
        assert put(s3, key, body)["ETag"] == f'"{md5(body).hexdigest()}"'
    assert {key: get(s3, key) for key in bodies} == bodies


def test_3_what_was_acknowledged_outlives_the_death_of_all_processes(tmp_path):
    with Daemon(tmp_path, "--workers=2", "--fsync=true") as daemon:
        s3 = node(daemon)
        s3.create_bucket(Bucket=BUCKET)
        bodies = {f"3/{number}": os.urandom(3000) for number in range(40)}
        for key, body in bodies.items():
            put(s3, key, body)
        kill_family(daemon.pid)
        daemon.kill()
        daemon.start()
        s3 = node(daemon)
        assert {key: get(s3, key) for key in keys(s3, "3/")} == bodies


def test_4_a_cut_connection_never_makes_a_wrong_answer(daemon, s3):
    put(s3, "4/k", b"before")
    began(daemon, "4/k").leave()
    assert get(s3, "4/k") == b"before"
    assert keys(s3, "4/") == ["4/k"]


def test_5_requests_are_authenticated_by_signature_version_4(daemon):
    stranger = daemon.client(aws_secret_access_key="wrong")
    with pytest.raises(ClientError) as error:
        stranger.list_objects_v2(Bucket=BUCKET)
    assert error.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    for region in ("us-east-1", "eu-central-1"):
        daemon.client(region_name=region, config=Config(signature_version="s3v4")).head_bucket(Bucket=BUCKET)


def test_6_get_has_length_and_etag_and_resumes_under_if_match(s3):
    body = os.urandom(300_000)
    etag = put(s3, "6/k", body)["ETag"]
    whole = s3.get_object(Bucket=BUCKET, Key="6/k")
    assert (whole["ContentLength"], whole["ETag"]) == (len(body), etag)
    begun = whole["Body"].read(1000)
    assert begun + get(s3, "6/k", Range="bytes=1000-", IfMatch=etag) == body
    put(s3, "6/k", b"another")
    refused(412, "PreconditionFailed", s3.get_object, Key="6/k", Range="bytes=1000-", IfMatch=etag)


def test_7_existence_is_asked_without_the_content(s3):
    put(s3, "7/k", b"four")
    assert s3.head_object(Bucket=BUCKET, Key="7/k")["ContentLength"] == 4
    refused(404, "404", s3.head_object, Key="7/other")


def test_8_any_range_is_read(s3):
    body = os.urandom(200_000)
    put(s3, "8/k", body)
    for first, last in ((0, 0), (1, 65_536), (65_535, 65_537), (131_071, 199_999), (199_999, 10**9)):
        assert get(s3, "8/k", Range=f"bytes={first}-{last}") == body[first : last + 1]


def test_9_put_replaces_and_takes_storage_class_and_acl(s3):
    put(s3, "9/k", b"one", StorageClass="STANDARD", ACL="private")
    put(s3, "9/k", b"two", StorageClass="STANDARD", ACL="bucket-owner-full-control")
    assert get(s3, "9/k") == b"two"


def test_10_multipart_uploads_with_parts_sent_at_once(s3):
    bodies = [os.urandom(PART), os.urandom(PART + 7), os.urandom(99)]
    complete(s3, "10/k", *upload(s3, "10/k", *bodies))
    assert get(s3, "10/k") == b"".join(bodies)


def test_11_a_write_is_read_at_once_by_every_other_node(daemon, s3):
    others = [node(daemon) for _ in range(4)]
    for round_ in range(25):
        body = b"%d" % round_
        put(s3, "11/k", body)
        assert [get(other, "11/k") for other in others] == [body] * 4
    complete(s3, "11/big", *upload(s3, "11/big", b"whole"))
    assert [get(other, "11/big") for other in others] == [b"whole"] * 4


def test_12_and_15_readers_see_one_whole_version_while_it_is_replaced(daemon, s3):
    bodies = {md5(body).hexdigest(): body for body in (bytes([letter]) * 400_000 for letter in b"abcdef")}
    put(s3, "12/k", next(iter(bodies.values())))
    ended = threading.Event()
    seen = []

    def read(reader):
        while not ended.is_set():
            answer = reader.get_object(Bucket=BUCKET, Key="12/k")
            body = answer["Body"].read()
            seen.append((answer["ETag"].strip('"'), md5(body).hexdigest()))

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read, node(daemon)) for _ in range(3)]
        for _ in range(5):
            for body in bodies.values():
                put(s3, "12/k", body)
        ended.set()
        for reader in readers:
            reader.result()
    assert seen
    assert all(named == actual and named in bodies for named, actual in seen)


def test_13_and_14_an_aborted_write_leaves_nothing_to_see(daemon, s3):
    cut = began(daemon, "13/cut")
    upload_id, _ = upload(s3, "13/upload", os.urandom(PART))
    assert keys(s3, "13/") == []
    cut.leave()
    s3.abort_multipart_upload(Bucket=BUCKET, Key="13/upload", UploadId=upload_id)
    assert keys(s3, "13/") == []
    refused(404, "NoSuchKey", s3.get_object, Key="13/cut")
    refused(404, "NoSuchKey", s3.get_object, Key="13/upload")
    refused(404, "NoSuchUpload", s3.list_parts, Key="13/upload", UploadId=upload_id)


def test_16_copies_are_made_by_the_server_whole_and_in_parts(s3):
    body = os.urandom(PART + 1000)
    put(s3, "16/source", body)
    source = {"Bucket": BUCKET, "Key": "16/source"}
    s3.copy_object(Bucket=BUCKET, Key="16/whole", CopySource=source)
    upload_id = s3.create_multipart_upload(Bucket=BUCKET, Key="16/parts")["UploadId"]
    parts = []
    for number, wanted in enumerate((f"bytes=0-{PART - 1}", f"bytes={PART}-{len(body) - 1}"), 1):
        made = s3.upload_part_copy(
            Bucket=BUCKET,
            Key="16/parts",
            UploadId=upload_id,
            PartNumber=number,
            CopySource=source,
            CopySourceRange=wanted,
        )
        parts.append({"PartNumber": number, "ETag": made["CopyPartResult"]["ETag"]})
    complete(s3, "16/parts", upload_id, parts)
    assert get(s3, "16/whole") == get(s3, "16/parts") == body


def test_17_a_listing_has_all_that_was_written_at_once_and_by_pages(daemon, s3):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: put(s3, f"17/{number % 7}/snap-{number:04}"), range(230)))
    written = sorted(f"17/{number % 7}/snap-{number:04}" for number in range(230))
    for other in (s3, node(daemon)):
        assert keys(other, "17/") == keys(other, "17/", PaginationConfig={"PageSize": 13}) == written
        assert keys(other, "17/3/snap-00") == [key for key in written if key.startswith("17/3/snap-00")]
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="17/", Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    folded = [entry["Prefix"] for page in pages for entry in page["CommonPrefixes"]]
    assert folded == [f"17/{number}/" for number in range(7)]


def test_18_many_are_deleted_in_one_request_and_absent_ones_are_no_error(s3):
    for number in range(30):
        put(s3, f"18/{number}")
    wanted = [{"Key": f"18/{number}"} for number in range(60)]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": wanted})
    assert "Errors" not in answer
    assert len(answer["Deleted"]) == 60
    assert keys(s3, "18/") == []


def test_19_a_register_by_conditional_writes_loses_no_increment(daemon, s3):
    put(s3, "19/register", b"0", IfNoneMatch="*")

    def increment(times):
        own, done = node(daemon), 0
        while done < times:
            found = own.get_object(Bucket=BUCKET, Key="19/register")
            following = b"%d" % (int(found["Body"].read()) + 1)
            try:
                own.put_object(Bucket=BUCKET, Key="19/register", Body=following, IfMatch=found["ETag"])
            except ClientError as error:
                assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412)
            else:
                done += 1

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(increment, [12] * 5))
    assert get(s3, "19/register") == b"60"


def test_19_a_register_by_uploads_that_are_listed_and_aborted(daemon, s3):
    """The older way: who has the least upload id aborts all others, and completes; an upload aborted cannot be completed."""
    uploads = [(client, *upload(client, "19/key", b"%d" % number)) for number, client in enumerate([node(daemon)] * 4)]
    listed = s3.list_multipart_uploads(Bucket=BUCKET, Prefix="19/key")["Uploads"]
    assert sorted(entry["UploadId"] for entry in listed) == sorted(upload_id for _, upload_id, _ in uploads)
    winner, *others = sorted(uploads, key=lambda one: one[1])
    for _, upload_id, parts in others:
        winner[0].abort_multipart_upload(Bucket=BUCKET, Key="19/key", UploadId=upload_id)
        refused(
            404,
            "NoSuchUpload",
            s3.complete_multipart_upload,
            Key="19/key",
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},
        )
    complete(winner[0], "19/key", *winner[1:])
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET, Prefix="19/key")
    assert get(s3, "19/key") == b"%d" % uploads.index(winner)
