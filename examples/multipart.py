"""A file in parts, four at a time; one that stopped goes on where it was: ``python examples/multipart.py``."""

import os
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from gecko_tw.client import Plan, UploadInterrupted, connect

URL = os.environ.get("S3_URL", "http://localhost:9000")
BUCKET = os.environ.get("S3_BUCKET", "example-multipart")


async def run() -> None:
    s3 = await connect(URL)
    try:
        await s3.create_bucket(BUCKET)
        with tempfile.TemporaryDirectory() as folder:
            there = Path(folder, "there")
            there.write_bytes(os.urandom(1 << 20) * 20)
            plan = Plan(part_size=5 << 20, parallel=4)
            try:
                await s3.multipart_upload(BUCKET, "film.mp4", there, plan, ContentType="video/mp4")
            except UploadInterrupted as stopped:
                print(stopped)
                await s3.multipart_upload(BUCKET, "film.mp4", there, Plan(part_size=5 << 20, resume=True))
        head = await s3.api.call("HeadObject", Bucket=BUCKET, Key="film.mp4")
        print(head["ContentLength"], head["ContentType"])
        await s3.delete(BUCKET, "film.mp4")
        await s3.api.call("DeleteBucket", Bucket=BUCKET)
    finally:
        await s3.close()


def main(reactor: Any) -> Deferred[None]:
    return Deferred.fromCoroutine(run())


if __name__ == "__main__":
    react(main)
