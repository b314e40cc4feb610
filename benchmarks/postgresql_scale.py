"""What millions of keys take and cost on PostgreSQL: ``python -m benchmarks.postgresql_scale [KEYS] [FOLDER]`` (10,000,000; /tmp).

Rows are made by the database itself, as puts would have made them; what is measured then goes through the driver.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from gecko_tw.store.drivers.postgresql.driver import PostgresqlDriver
from gecko_tw.store.objects import Objects
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.requests import ListRequest, Put
from tests.clusters.postgresql import Server

_FILL = """
INSERT INTO head SELECT (SELECT id FROM bucket WHERE name = %(bucket)s),
    convert_to('logs/' || to_char(n * 1000 / %(count)s::bigint, 'FM0000000') || '/' || to_char(n, 'FM000000000') || '.json', 'UTF8'),
    n, FALSE, 1, 'null', 0, md5(n::text), 200000, 1795230000000000000 + n, 'main', 'CRC64NVME AAAAAAAAAAA= FULL_OBJECT',
    '{"headers":{"content-type":"application/json"}}', NULL, md5('b' || n), NULL, NULL
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""
_AT_ONCE = 500_000


def main() -> None:
    keys = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    parent = sys.argv[2] if len(sys.argv) > 2 else "/tmp"
    server = Server(parent, shared_buffers="512MB", max_wal_size="8GB", autovacuum="off")
    try:
        driver = PostgresqlDriver(tempfile.mkdtemp(), catalog=server.address())
        driver.open()
        objects = Objects(driver.catalog, driver.blobs)
        for bucket, count in (("few", 1000), ("many", keys)):
            driver.catalog.add_bucket(BucketRecord(name=bucket, created=1))
            for first in range(0, count, _AT_ONCE):
                last = min(first + _AT_ONCE, count) - 1
                driver._connections.run(
                    _FILL, {"bucket": bucket.encode(), "first": first, "last": last, "count": count}
                )
        driver._connections.run("ANALYZE")
        _sizes(driver, keys)
        _costs(objects, {"few": 1000, "many": keys})
        driver.close()
    finally:
        server.stop()


def _sizes(driver: Any, keys: int) -> None:
    rows = driver._connections.read(
        "SELECT sum(pg_table_size(inhrelid)), sum(pg_indexes_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'head'::regclass"
    )
    table, index = (int(one) for one in rows[0])
    print(f"{keys:,} keys: {table / keys:.0f} bytes of table and {index / keys:.0f} of indexes a key")


def _key(number: int, count: int) -> bytes:
    return b"logs/%07d/%09d.json" % (number * 1000 // count, number)


def _costs(objects: Objects, buckets: dict[str, int]) -> None:
    """Each act in each bucket in turn, so that whatever else the machine does is shared."""

    def put(bucket: str, number: int) -> None:
        incoming = objects.receive()
        incoming.push(b"x" * 1000)
        objects.put(bucket, b"logs/%07d/new-%d" % (number * 37 % 1000, number), incoming, Put(now=time.time_ns()))

    def page(bucket: str, number: int) -> None:
        assert len(objects.page(bucket, ListRequest(after=_key(0, 1))).entries) > 990

    def folders(bucket: str, number: int) -> None:
        assert len(objects.page(bucket, ListRequest(prefix=b"logs/", delimiter=b"/")).prefixes) == 1000

    def look(bucket: str, number: int) -> None:
        objects.look(bucket, _key(number * 7919 % buckets[bucket], buckets[bucket]))

    acts: dict[str, tuple[Callable[[str, int], Any], int]] = {
        "a page of 1000 keys": (page, 50),
        "a page of 1000 folders": (folders, 50),
        "a look at a key": (look, 500),
        "a put of 1000 bytes": (put, 500),
    }
    for name, (act, times) in acts.items():
        taken: dict[str, list[float]] = {bucket: [] for bucket in buckets}
        for number in range(times):
            for bucket, kept in taken.items():
                begun = time.perf_counter()
                act(bucket, number)
                kept.append(time.perf_counter() - begun)
        told = ", ".join(
            f"{statistics.median(taken[one]) * 1000:.2f} ms of {count:,}" for one, count in buckets.items()
        )
        print(f"{name}: {told} (medians)")


if __name__ == "__main__":
    main()
