"""The access log of a bucket, as it is found in another one: every request once, whichever worker answered it."""

from urllib.request import urlopen

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.end_to_end.daemon import Daemon
from tests.patience import eventually
from tests.resources.log_lines import parsed_all


def begin_log(s3, **more):
    for name in ("photos", "logs"):
        s3.create_bucket(Bucket=name)
    enabled = {"TargetBucket": "logs", "TargetPrefix": "photos/", **more}
    s3.put_bucket_logging(Bucket="photos", BucketLoggingStatus={"LoggingEnabled": enabled})
    assert s3.get_bucket_logging(Bucket="photos")["LoggingEnabled"] == enabled


def lines_in(s3):
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="logs").get("Contents", ())]
    objects = [s3.get_object(Bucket="logs", Key=key) for key in keys]
    assert all(key.startswith("photos/") for key in keys)
    assert all(found["ContentType"] == "text/plain" for found in objects)
    return [line for found in objects for line in parsed_all(found["Body"].read())]


def answer_of(daemon, version):
    """Reads an object by a presigned URL; the id of the request."""
    signing = daemon.client(config=Config(signature_version=version))
    with urlopen(signing.generate_presigned_url("get_object", {"Bucket": "photos", "Key": "cat 2"})) as answer:
        return answer.headers["x-amz-request-id"]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_every_worker_answered_is_in_the_log_after_the_end(tmp_path, workers):
    with Daemon(tmp_path, f"--workers={workers}") as daemon:
        s3 = daemon.client()
        begin_log(s3)
        asked, others = [], [daemon.client() for _ in range(4)]
        for number in range(20):
            asked.append(s3.put_object(Bucket="photos", Key=f"cat {number}", Body=b"meow"))
            asked.append(others[number % 4].get_object(Bucket="photos", Key=f"cat {number}"))
        asked.append(s3.delete_object(Bucket="photos", Key="cat 1"))
        for client, key in ((s3, "none"), (daemon.client(config=Config(signature_version=UNSIGNED)), "cat 2")):
            with pytest.raises(ClientError) as refused:
                client.get_object(Bucket="photos", Key=key)
            asked.append(refused.value.response)
        signed = [answer_of(daemon, version) for version in ("s3", "s3v4")]
        daemon.stop()
        daemon.start()
        lines = {line["request_id"]: line for line in lines_in(daemon.client())}
        ids = [one["ResponseMetadata"]["RequestId"] for one in asked]
        found = [(line["operation"], line["key"], line["status"], line["error"]) for line in map(lines.get, ids)]
        get, put = "REST.GET.OBJECT", "REST.PUT.OBJECT"
        both = [
            [(put, f"cat%2520{number}", "200", "-"), (get, f"cat%2520{number}", "200", "-")] for number in range(20)
        ]
        assert found == [
            *sum(both, []),
            ("REST.DELETE.OBJECT", "cat%25201", "204", "-"),
            (get, "none", "404", "NoSuchKey"),
            (get, "cat%25202", "403", "AccessDenied"),
        ]
        # The configuration was read once as well, after it had begun.
        others = [line["operation"] for key, line in lines.items() if key not in ids + signed]
        assert others == ["REST.GET.LOGGING_STATUS"]
        assert [(lines[key]["authentication"], lines[key]["signature"]) for key in signed] == [
            ("QueryString", "SigV2"),
            ("QueryString", "SigV4"),
        ]
        assert all("Signature=***" in lines[key]["uri"] for key in signed)
        assert lines[ids[1]]["turned"].isdigit()
        assert lines[ids[0]]["authentication"] == "AuthHeader"
        assert lines[ids[-1]]["requester"] == "-"
        assert (lines[ids[1]]["sent"], lines[ids[1]]["size"]) == ("4", "4")
        assert "Boto3" in lines[ids[0]]["agent"]


def test_lines_come_while_the_daemon_runs_and_tell_of_tls(tmp_path):
    with Daemon(tmp_path, "--workers=2", "--access-log-interval=500ms", tls=True) as daemon:
        s3 = daemon.client()
        begin_log(s3, TargetObjectKeyFormat={"PartitionedPrefix": {"PartitionDateSource": "EventTime"}})
        eventually(lambda: lines_in(s3) != [])
        (line,) = lines_in(s3)
        (entry,) = s3.list_objects_v2(Bucket="logs")["Contents"]
    assert line["tls"] == "TLSV1.3"
    assert line["cipher"].startswith("TLS_")
    assert entry["Key"].startswith("photos/000000000000/us-east-1/photos/20")
    assert "-00-00-00-" in entry["Key"]
