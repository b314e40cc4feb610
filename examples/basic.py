"""Makes a bucket, stores an object, reads it, lists the bucket and removes both: ``python examples/basic.py``."""

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from gecko_tw.client import connect

URL = os.environ.get("S3_URL", "http://localhost:9000")
BUCKET = os.environ.get("S3_BUCKET", "example-basic")


async def run() -> None:
    s3 = await connect(URL)  # with the keys of the environment, or of ~/.aws
    try:
        await s3.create_bucket(BUCKET)
        await s3.put(BUCKET, "greetings/hello.txt", b"hello", ContentType="text/plain")
        print((await s3.get(BUCKET, "greetings/hello.txt")).decode())
        async for one in s3.list(BUCKET, "greetings/"):
            print(one["Key"], one["Size"])
        await s3.delete(BUCKET, "greetings/hello.txt")
        await s3.api.call("DeleteBucket", Bucket=BUCKET)
    finally:
        await s3.close()


def main(reactor: Any) -> Deferred[None]:
    return Deferred.fromCoroutine(run())


if __name__ == "__main__":
    react(main)
