"""A large file up and down without holding it in memory: ``python examples/large.py``."""

import os
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from gecko_tw.client import connect

URL = os.environ.get("S3_URL", "http://localhost:9000")
BUCKET = os.environ.get("S3_BUCKET", "example-large")


async def run() -> None:
    s3 = await connect(URL)
    try:
        await s3.create_bucket(BUCKET)
        with tempfile.TemporaryDirectory() as folder:
            there, back = Path(folder, "there"), Path(folder, "back")
            there.write_bytes(os.urandom(1 << 20) * 32)
            await s3.put(BUCKET, "large", there)
            answer = await s3.get_to(BUCKET, "large", back)
            print(answer["ContentLength"], back.read_bytes() == there.read_bytes())
        await s3.delete(BUCKET, "large")
        await s3.api.call("DeleteBucket", Bucket=BUCKET)
    finally:
        await s3.close()


def main(reactor: Any) -> Deferred[None]:
    return Deferred.fromCoroutine(run())


if __name__ == "__main__":
    react(main)
