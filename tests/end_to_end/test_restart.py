"""What was acknowledged is there after a restart, however the daemon ended."""

import random
import threading
from pathlib import Path

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.end_to_end.daemon import Daemon
from tests.end_to_end.place import Place
from tests.end_to_end.processes import kill_family
from tests.end_to_end.trees import some_bytes
from tests.patience import PATIENCE, eventually

WRITERS = 4


class Load:
    """Threads that put and delete objects, each its own keys, until the daemon is gone.

    :ivar known: by key, the sizes it may have now: the acknowledged one, and the one that was not answered any more. A size of
        None means absent.
    """

    def __init__(self, daemon: Daemon, bucket: str) -> None:
        self.bucket, self.acknowledged = bucket, 0
        self.known: dict[str, list[int | None]] = {}
        self._s3 = daemon.client(
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=PATIENCE, read_timeout=PATIENCE)
        )
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def await_acknowledged(self, count: int) -> None:
        eventually(lambda: self.acknowledged >= count)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    def _write(self, number: int) -> None:
        chance = random.Random(number)
        for turn in range(100_000):
            key = f"{number}/folder {turn % 5}/{turn % 23}"
            size = chance.choice([0, 10, 5_000, 70_000, 700_000, None])
            before = self.known.get(key, [None])[0]
            self.known[key] = [before, size]
            try:
                if size is None:
                    self._s3.delete_object(Bucket=self.bucket, Key=key)
                else:
                    self._s3.put_object(
                        Bucket=self.bucket, Key=key, Body=some_bytes(size, size), Metadata={"size": str(size)}
                    )
            except (BotoCoreError, ClientError):
                return
            self.known[key] = [size]
            self.acknowledged += 1


@pytest.mark.parametrize(
    ("options", "lives"),
    [
        (["--workers=2"], 2),
        (["--fsync=true"], 1),
        (["--attributes=sidecar"], 1),
        (["--workers=2", "--layout=pool"], 2),
        (["--layout=pool", "--fsync=true"], 1),
    ],
    ids=str,
)
def test_every_acknowledged_write_is_there_after_the_daemon_was_killed(tmp_path: Path, options: list[str], lives: int):
    with Daemon(tmp_path, *options) as daemon:
        place = Place(daemon)
        bucket = place.new_bucket()
        for _life in range(lives):
            load = Load(daemon, bucket)
            load.start()
            load.await_acknowledged(150)
            kill_family(daemon.pid)
            load.join()
            daemon.kill()
            daemon.start()
            verify(place, load)
            place.s3.delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in place.keys(bucket)] or [{"Key": "none"}]}
            )
        assert place.keys(bucket) == []
        assert not list(daemon.data_dir.glob(f"{bucket}/*"))


def verify(place: Place, load: Load) -> None:
    """Every key holds what was acknowledged, or what was under way."""
    listed = {entry["Key"]: entry for entry in place.s3.list_objects_v2(Bucket=load.bucket).get("Contents", [])}
    for key, sizes in load.known.items():
        if key not in listed:
            assert None in sizes, key
            continue
        answer = place.s3.get_object(Bucket=load.bucket, Key=key)
        body = answer["Body"].read()
        assert len(body) in sizes
        assert body == some_bytes(len(body), len(body))
        assert (answer["ETag"], listed[key]["Size"]) == (listed[key]["ETag"], len(body))
        assert answer["Metadata"] == {"size": str(len(body))}


def test_objects_settings_and_uploads_survive_an_orderly_restart(tmp_path: Path):
    with Daemon(tmp_path, "--workers=2") as daemon:
        place = Place(daemon)
        bucket = place.new_bucket()
        for key in ("a", "a/", "a/b", "//odd", "folder/plain"):
            place.put(bucket, key, key.encode(), Metadata={"x": "y"})
        rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}
        place.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
        named = {"Bucket": bucket, "Key": "under way"}
        named["UploadId"] = place.s3.create_multipart_upload(**named, ContentType="a/b")["UploadId"]
        etag = place.s3.upload_part(**named, PartNumber=1, Body=b"part")["ETag"]
        daemon.stop()
        daemon.start()
        for key in ("a", "a/", "a/b", "//odd", "folder/plain"):
            answer = place.s3.get_object(Bucket=bucket, Key=key)
            assert (answer["Body"].read(), answer["Metadata"]) == (key.encode(), {"x": "y"})
        assert place.s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        place.s3.complete_multipart_upload(**named, MultipartUpload=parts)
        head = place.s3.head_object(Bucket=bucket, Key="under way")
        assert (head["ContentLength"], head["ContentType"]) == (4, "a/b")
