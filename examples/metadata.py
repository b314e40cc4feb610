"""What travels with an object, and answers only where it has changed: ``python examples/metadata.py``."""

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from gecko_tw.client import ConditionFailed, connect

URL = os.environ.get("S3_URL", "http://localhost:9000")
BUCKET = os.environ.get("S3_BUCKET", "example-metadata")


async def run() -> None:
    s3 = await connect(URL)
    try:
        await s3.create_bucket(BUCKET)
        stored = await s3.put(BUCKET, "cat.jpg", b"miau", ContentType="image/jpeg", Metadata={"camera": "M3"})
        head = await s3.api.call("HeadObject", Bucket=BUCKET, Key="cat.jpg")
        print(head["ContentType"], head["Metadata"]["camera"], head["ETag"] == stored["ETag"])
        try:
            await s3.put(BUCKET, "cat.jpg", b"wuff", IfNoneMatch="*")
        except ConditionFailed:
            print("it is there already")
        await s3.delete(BUCKET, "cat.jpg")
        await s3.api.call("DeleteBucket", Bucket=BUCKET)
    finally:
        await s3.close()


def main(reactor: Any) -> Deferred[None]:
    return Deferred.fromCoroutine(run())


if __name__ == "__main__":
    react(main)
