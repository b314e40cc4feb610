"""`python -m benchmarks`: requests a second and memory of the daemon with two workers, printed as a table."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import click
from boto3.s3.transfer import TransferConfig

from benchmarks.load import Result, wrk
from benchmarks.target import Target, geckos3

BUCKET = "bench"
KEYS = 1000
_CHUNK = 1024 * 1024


def small(target: Target, folder: Path, seconds: int) -> dict[str, Callable[[], Result]]:
    """The rows of 4 KiB requests, each a run to be repeated."""
    keys = [f"small/{number:05}" for number in range(KEYS)]
    client = target.client()
    for key in keys[:KEYS]:
        client.put_object(Bucket=BUCKET, Key=key, Body=os.urandom(4096))
    gets = target.presigned("get_object", BUCKET, keys)
    puts = target.presigned("put_object", BUCKET, keys)
    return {
        "GET 4 KiB": lambda: wrk(target.url, "GET", gets, folder, seconds=seconds),
        "PUT 4 KiB": lambda: wrk(target.url, "PUT", puts, folder, size=4096, seconds=seconds),
    }


def large(target: Target, folder: Path, mebibytes: int) -> str:
    """One large object up and down again in one request each; says how far the memory of any process grew."""
    source = folder / "large"
    digest = hashlib.md5(usedforsecurity=False)
    with open(source, "wb") as file:
        for _ in range(mebibytes):
            piece = os.urandom(_CHUNK)
            digest.update(piece)
            file.write(piece)
    before = target.memory()
    client = target.client()
    whole = TransferConfig(multipart_threshold=1 << 40)
    client.upload_file(str(source), BUCKET, "large", Config=whole)
    back = hashlib.md5(usedforsecurity=False)
    for piece in client.get_object(Bucket=BUCKET, Key="large")["Body"].iter_chunks(_CHUNK):
        back.update(piece)
    if back.digest() != digest.digest():
        raise SystemExit("the large object came back with other bytes")
    after = target.memory()
    growth = max(after[pid][1] - before[pid][0] for pid in before if pid in after)
    return f"{mebibytes} MiB up and down: memory of no process grew by more than {growth / 1024:.1f} MiB"


@click.command()
@click.option("--runs", default=5, show_default=True, help="Runs of each row.")
@click.option("--seconds", default=4, show_default=True, help="Length of a run.")
@click.option("--workers", default=2, show_default=True)
@click.option("--large-mib", default=1024, show_default=True, help="Size of the large object; 0 leaves it out.")
def main(runs: int, seconds: int, workers: int, large_mib: int) -> None:
    """Measures the daemon on this machine."""
    with tempfile.TemporaryDirectory(prefix="geckos3-bench-") as name:
        folder = Path(name)
        data = folder / "data"
        data.mkdir()
        with geckos3(data, f"--workers={workers}") as target:
            target.client().create_bucket(Bucket=BUCKET)
            rows = small(target, folder, seconds)
            results: dict[str, list[Result]] = {row: [] for row in rows}
            for _ in range(runs):
                for row, run in rows.items():
                    results[row].append(run())
            click.echo(f"{workers} workers, 16 connections, median of {runs} runs of {seconds} s (slowest to fastest)")
            for row, found in results.items():
                rates = sorted(result.rate for result in found)
                click.echo(
                    f"{row:12} {median(rates):10,.0f} a second ({rates[0]:,.0f} to {rates[-1]:,.0f})   "
                    f"p50 {median(result.p50 for result in found):.2f} ms   "
                    f"p99 {median(result.p99 for result in found):.2f} ms   "
                    f"errors {sum(result.errors for result in found)}"
                )
            if large_mib:
                click.echo(large(target, folder, large_mib))


if __name__ == "__main__":
    main()
