"""Quotas set beside a running daemon, and held by several workers at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from botocore.exceptions import ClientError
from click.testing import CliRunner

from gecko_tw.commands import main
from tests.end_to_end.place import Place, refusal


def quota(place: Place, bucket: str, *limits: str) -> str:
    told = CliRunner().invoke(main, ["quota", "--data-dir", str(Path(place.daemon.data_dir)), bucket, *limits])
    assert told.exit_code == 0, told.output
    return told.output


def test_a_quota_is_exact_through_two_workers(plain: Place):
    bucket = plain.new_bucket()
    plain.put(bucket, "before", b"x" * 500)
    assert quota(plain, bucket, "--bytes=100000", "--objects=60").startswith(f"{bucket}: 500 of 100000 bytes, 1 of 60")

    def put(number: int) -> int:
        try:
            plain.put(bucket, f"key {number}", b"x" * 2000)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "QuotaExceeded"
            return 0
        return 1

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(put, range(80))) == 49
    assert quota(plain, bucket) == f"{bucket}: 98500 of 100000 bytes, 50 of 60 objects\n"
    assert len(plain.keys(bucket)) == 50


def test_a_large_body_is_refused_before_it_is_sent(plain: Place):
    bucket = plain.new_bucket()
    quota(plain, bucket, "--bytes=1KiB")
    assert refusal(plain.s3.put_object, Bucket=bucket, Key="large", Body=b"x" * 3_000_000) == ("QuotaExceeded", 403)
    upload = plain.s3.create_multipart_upload(Bucket=bucket, Key="large")["UploadId"]
    part = {"Bucket": bucket, "Key": "large", "UploadId": upload, "PartNumber": 1}
    assert refusal(plain.s3.upload_part, **part, Body=b"x" * 1025) == ("QuotaExceeded", 403)
    plain.s3.upload_part(**part, Body=b"x" * 1024)
    assert refusal(plain.s3.put_object, Bucket=bucket, Key="one", Body=b"x") == ("QuotaExceeded", 403)
