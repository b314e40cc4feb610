"""boto3 on what is known beside the bytes: tags, attributes, checksums of parts, and the settings that nobody set."""

import pytest

from tests.end_to_end.place import Place, everywhere, refusal
from tests.end_to_end.test_boto3_multipart import LEAST, begin
from tests.end_to_end.trees import some_bytes


@everywhere
def test_tags_follow_an_object_and_are_changed_beside_it(place: Place):
    bucket = place.new_bucket()
    place.put(bucket, "a b/c", b"meow", Tagging="colour=gr%C3%BCn&size=")
    named = {"Bucket": bucket, "Key": "a b/c"}
    tags = [{"Key": "colour", "Value": "grün"}, {"Key": "size", "Value": ""}]
    assert place.s3.get_object_tagging(**named)["TagSet"] == tags
    place.s3.copy_object(Bucket=bucket, Key="copy", CopySource=named)
    new = [{"Key": "new", "Value": "1+1"}]
    place.s3.put_object_tagging(**named, Tagging={"TagSet": new})
    assert place.s3.get_object_tagging(**named)["TagSet"] == new
    assert place.s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == tags
    assert place.s3.get_object(**named)["TagCount"] == 1
    place.s3.delete_object_tagging(**named)
    assert "TagCount" not in place.s3.head_object(**named)
    assert place.get(bucket, "a b/c") == b"meow"


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("CRC32", "COMPOSITE"), ("CRC32C", "FULL_OBJECT"), ("CRC64NVME", "FULL_OBJECT"), ("SHA256", "COMPOSITE")],
)
def test_the_attributes_of_an_upload_tell_its_checksum_and_parts(plain: Place, algorithm: str, kind: str):
    upload = begin(plain, "film", ChecksumAlgorithm=algorithm, ChecksumType=kind)
    bodies = [some_bytes(LEAST, 1), b"tail"]
    name = f"Checksum{algorithm}"
    sums, parts = [], []
    for number, body in enumerate(bodies, 1):
        sent = plain.s3.upload_part(**upload.named(), PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
        sums.append(sent[name])
        parts.append({"PartNumber": number, "ETag": sent["ETag"], name: sent[name]})
    done = upload.complete(*parts)
    attributes = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    named = {"Bucket": upload.bucket, "Key": "film"}
    found = plain.s3.get_object_attributes(**named, ObjectAttributes=attributes)
    assert (found["ObjectSize"], found["StorageClass"]) == (LEAST + 4, "STANDARD")
    assert f'"{found["ETag"]}"' == done["ETag"]
    assert found["Checksum"] == {name: done[name].partition("-")[0], "ChecksumType": kind}
    page = plain.s3.get_object_attributes(**named, ObjectAttributes=attributes, MaxParts=1)["ObjectParts"]
    if kind == "FULL_OBJECT":
        assert found["ObjectParts"] == page == {"TotalPartsCount": 2}
    else:
        told = [(part["Size"], part[name]) for part in found["ObjectParts"]["Parts"]]
        assert told == [(LEAST, sums[0]), (4, sums[1])]
        assert (page["TotalPartsCount"], page["IsTruncated"], page["NextPartNumberMarker"]) == (2, True, 1)
    second = plain.s3.get_object(**named, PartNumber=2, ChecksumMode="ENABLED")
    assert (second["Body"].read(), second[name], second["ChecksumType"]) == (b"tail", sums[1], kind)


def test_what_a_provisioning_tool_reads_of_a_new_bucket_is_answered(plain: Place):
    bucket = plain.new_bucket()
    s3 = plain.s3
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    s3.put_bucket_request_payment(Bucket=bucket, RequestPaymentConfiguration={"Payer": "BucketOwner"})
    assert refusal(s3.get_bucket_replication, Bucket=bucket) == ("ReplicationConfigurationNotFoundError", 404)
    assert refusal(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)
    assert s3.get_bucket_abac(Bucket=bucket)["AbacStatus"] == {"Status": "Disabled"}
    for report in ("analytics", "metrics", "inventory", "intelligent_tiering"):
        assert getattr(s3, f"list_bucket_{report}_configurations")(Bucket=bucket)["IsTruncated"] is False
        get = getattr(s3, f"get_bucket_{report}_configuration")
        assert refusal(get, Bucket=bucket, Id="x") == ("NoSuchConfiguration", 404)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "team", "Value": "zoo"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "zoo"}]
    s3.delete_bucket_tagging(Bucket=bucket)
    assert refusal(s3.get_bucket_tagging, Bucket=bucket) == ("NoSuchTagSet", 404)
