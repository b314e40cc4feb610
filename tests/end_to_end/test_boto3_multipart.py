"""boto3's multipart uploads, step by step."""

import hashlib
from typing import Any

from attrs import frozen

from tests.end_to_end.place import Place, everywhere, refusal
from tests.end_to_end.trees import some_bytes

LEAST = 5 * 1024 * 1024


@frozen
class Parts:
    """A multipart upload under way."""

    place: Place
    bucket: str
    key: str
    id: str

    def named(self) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.key, "UploadId": self.id}

    def upload(self, number: int, body: bytes) -> dict[str, Any]:
        """Sends a part and returns its entry in the list that completes the upload."""
        answer = self.place.s3.upload_part(**self.named(), PartNumber=number, Body=body)
        assert answer["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def complete(self, *parts: dict[str, Any], **more: object) -> dict[str, Any]:
        return self.place.s3.complete_multipart_upload(**self.named(), MultipartUpload={"Parts": list(parts)}, **more)


def begin(place: Place, key: str, bucket: str | None = None, **more: object) -> Parts:
    bucket = bucket or place.new_bucket()
    return Parts(place, bucket, key, place.s3.create_multipart_upload(Bucket=bucket, Key=key, **more)["UploadId"])


def composite(*bodies: bytes) -> str:
    """The ETag of an object made of such parts."""
    return f'"{hashlib.md5(b"".join(hashlib.md5(body).digest() for body in bodies)).hexdigest()}-{len(bodies)}"'


@everywhere
def test_parts_sent_in_any_order_become_one_object_with_its_metadata(place: Place):
    upload = begin(place, "a folder/key", ContentType="text/parts", Metadata={"colour": "green"})
    bodies = [some_bytes(LEAST, 1), some_bytes(LEAST + 1, 2), b"tail"]
    parts = {number: upload.upload(number, bodies[number - 1]) for number in (3, 1, 2)}
    assert place.keys(upload.bucket) == []
    etag = composite(*bodies)
    assert upload.complete(parts[1], parts[2], parts[3])["ETag"] == etag
    assert upload.complete(parts[1], parts[2], parts[3])["ETag"] == etag
    answer = place.s3.get_object(Bucket=upload.bucket, Key=upload.key)
    assert answer["Body"].read() == b"".join(bodies)
    assert (answer["ETag"], answer["ContentType"], answer["Metadata"]) == (etag, "text/parts", {"colour": "green"})
    second = place.s3.get_object(Bucket=upload.bucket, Key=upload.key, PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (bodies[1], 3)
    across = place.get(upload.bucket, upload.key, Range=f"bytes={LEAST - 3}-{LEAST + 2}")
    assert across == bodies[0][-3:] + bodies[1][:3]
    assert place.keys(upload.bucket) == [upload.key]


def test_parts_and_uploads_under_way_are_listed_until_aborted(scheme: Place):
    upload = begin(scheme, "one")
    other = begin(scheme, "two", upload.bucket)
    for number in (1, 2, 7):
        upload.upload(number, b"part %d" % number)
    upload.upload(2, b"replaced")
    listed = scheme.s3.list_parts(**upload.named())["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in listed] == [(1, 6), (2, 8), (7, 6)]
    page = scheme.s3.list_parts(**upload.named(), MaxParts=2)
    assert (page["IsTruncated"], page["NextPartNumberMarker"]) == (True, 2)
    under_way = scheme.s3.list_multipart_uploads(Bucket=upload.bucket)["Uploads"]
    assert [(entry["Key"], entry["UploadId"]) for entry in under_way] == [("one", upload.id), ("two", other.id)]
    for each in (upload, other):
        scheme.s3.abort_multipart_upload(**each.named())
    assert "Uploads" not in scheme.s3.list_multipart_uploads(Bucket=upload.bucket)
    assert refusal(upload.upload, 1, b"late") == ("NoSuchUpload", 404)
    assert refusal(scheme.s3.list_parts, **upload.named()) == ("NoSuchUpload", 404)
    assert refusal(upload.complete, {"PartNumber": 1, "ETag": "x"}) == ("NoSuchUpload", 404)


def test_a_wrong_list_of_parts_is_refused_and_may_be_mended(scheme: Place):
    upload = begin(scheme, "key")
    scheme.put(upload.bucket, "key", b"old")
    one, two = upload.upload(1, some_bytes(LEAST)), upload.upload(2, b"tail")
    assert refusal(upload.complete, two, one) == ("InvalidPartOrder", 400)
    assert refusal(upload.complete, one, two | {"ETag": one["ETag"]}) == ("InvalidPart", 400)
    assert refusal(upload.complete, one, two | {"PartNumber": 3}) == ("InvalidPart", 400)
    assert refusal(upload.complete, two | {"PartNumber": 2}, upload.upload(3, b"x")) == ("EntityTooSmall", 400)
    assert refusal(upload.complete, one, two, IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert refusal(upload.complete, one, two, IfMatch='"other"') == ("PreconditionFailed", 412)
    assert scheme.get(upload.bucket, "key") == b"old"
    upload.complete(one, two)
    assert scheme.get(upload.bucket, "key") == some_bytes(LEAST) + b"tail"


def test_parts_are_copied_from_objects_and_ranges_of_them(place: Place):
    upload = begin(place, "joined")
    body = some_bytes(LEAST + 1000)
    place.put(upload.bucket, "source + 1", body)
    copied = {"CopySource": {"Bucket": upload.bucket, "Key": "source + 1"}}
    whole = place.s3.upload_part_copy(**upload.named(), PartNumber=1, **copied)
    some = place.s3.upload_part_copy(**upload.named(), PartNumber=2, CopySourceRange="bytes=10-19", **copied)
    parts = [
        {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]} for number, answer in ((1, whole), (2, some))
    ]
    assert upload.complete(*parts)["ETag"] == composite(body, body[10:20])
    assert place.get(upload.bucket, "joined") == body + body[10:20]
    behind = f"bytes=0-{len(body)}"
    again = begin(place, "again", upload.bucket)
    refused = refusal(place.s3.upload_part_copy, **again.named(), PartNumber=1, CopySourceRange=behind, **copied)
    assert refused[1] in (400, 416)


def test_whole_and_composite_checksums_of_parts_are_told(scheme: Place):
    for algorithm, kind in (
        ("CRC32", "COMPOSITE"),
        ("CRC32", "FULL_OBJECT"),
        ("CRC64NVME", "FULL_OBJECT"),
        ("SHA256", "COMPOSITE"),
    ):
        field = f"Checksum{algorithm}"
        upload = begin(scheme, "key", ChecksumAlgorithm=algorithm, ChecksumType=kind)
        bodies, parts = [some_bytes(LEAST), b"tail"], []
        for number, body in enumerate(bodies, 1):
            sent = scheme.s3.upload_part(**upload.named(), PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
            parts.append({"PartNumber": number, "ETag": sent["ETag"], field: sent[field]})
        done = upload.complete(*parts)
        told = scheme.s3.head_object(Bucket=upload.bucket, Key="key", ChecksumMode="ENABLED")
        assert (done["ChecksumType"], told["ChecksumType"]) == (kind, kind)
        assert done[field] == told[field]
        if kind == "FULL_OBJECT":
            whole = scheme.put(upload.bucket, "whole", b"".join(bodies), ChecksumAlgorithm=algorithm)
            assert told[field] == whole[field]
        else:
            assert told[field].endswith("-2")
