"""What ``geckos3 scrub`` and ``geckos3 quarantine`` do."""

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from attrs import asdict

from gecko_tw.commands.places import s3_object
from gecko_tw.commands.telling import Told, tell
from gecko_tw.daemon.data_dir import CannotOpen, DataDir, check_data_dir
from gecko_tw.settings import BadSetting, Settings
from gecko_tw.store.integrity.comparing import StoredBytes
from gecko_tw.store.integrity.lease import Busy
from gecko_tw.store.integrity.pace import Pace
from gecko_tw.store.integrity.quarantine import Quarantine, QuarantinedVersion
from gecko_tw.store.integrity.scrub import Outcome, Scrub, Wish
from gecko_tw.store.objects import Objects
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.refusals import Refusal
from gecko_tw.store.rules.finding import find
from gecko_tw.store.rules.quarantine import REASONS
from gecko_tw.store.uploads import Uploads

_CANNOT = 2


def quarantine_in(data: Any) -> Quarantine:
    """The quarantine of an open data directory."""
    return Quarantine(Objects(data.driver.catalog, data.driver.blobs), data.driver.documents)


def scrubbed(settings: Settings, bucket: str, full: bool) -> int:
    """Scrubs, and tells what was found; the exit code."""
    wish = Wish(
        who="command",
        bucket=bucket,
        rate=1.0 if full else settings.scrub_sample_rate,
        most=0 if full else settings.scrub_max_per_run,
        bytes_per_second=settings.scrub_bytes_per_second,
        attended=True,
    )
    data = None
    try:
        data = DataDir(settings)
        if not data.is_shared:
            check_data_dir(settings.data_dir)
        data.open(sealed=False)
        quarantine = quarantine_in(data)
        outcome = Scrub(quarantine, Uploads(quarantine.objects), time.time_ns).run(wish)
    except (CannotOpen, BadSetting, Refusal) as problem:
        raise _cannot(str(problem)) from problem
    except Busy as busy:
        raise _cannot(f"a scrub is under way already: {busy}") from busy
    finally:
        if data is not None:
            data.close()
    tell(_told(outcome))
    return int(bool(outcome.report.damaged or outcome.report.held or outcome.report.unread))


def _cannot(why: str) -> click.ClickException:
    refusal = click.ClickException(why)
    refusal.exit_code = _CANNOT
    return refusal


def _told(outcome: Outcome) -> Told:
    report = outcome.report
    lines = [_line(one) for one in outcome.damaged] + [f"{name}: it is damaged" for name in report.parts]
    end = "the pass is at its end" if outcome.finished else "the next run goes on"
    again = ", gone on with" if outcome.resumed else ""
    lines.append(f"{report.read} versions and parts were read, {report.bytes} bytes{again}; {end}")
    for number, text in (
        (report.whole, "are whole"),
        (report.damaged, "are damaged"),
        (report.held, "were in quarantine already"),
        (report.unknown, "have nothing that tells whether they are whole"),
        (report.changed, "were changed or removed meanwhile"),
        (report.unread, "could not be read: see the messages"),
    ):
        if number:
            lines.append(f"  {number} {text}")
    values = {**asdict(report), "finished": outcome.finished, "resumed": outcome.resumed}
    return Told("\n".join(lines), {**values, "versions": [_values(one) for one in outcome.damaged]})


def listed(held: Iterable[QuarantinedVersion]) -> Told:
    """Versions in quarantine."""
    found = list(held)
    return Told("\n".join(map(_line, found)) or "nothing is in quarantine", [_values(one) for one in found])


def revalidated(data: Any, bucket: str, key: str, version_id: str | None) -> Told:
    """Raises Refusal."""
    whole = quarantine_in(data).revalidate(bucket, key_of(key), version_id, time.time_ns())
    text = "is whole, and served again" if whole else "is damaged still"
    return Told(f"{bucket}/{key} {text}", {"restored": whole})


def restored(data: Any, bucket: str, key: str, version_id: str | None, source: str, endpoint: str = "") -> Told:
    """Raises Refusal, OSError, BackupError.

    :param source: a file, ``s3://bucket/key``, or the id of a version of the same key.
    :param endpoint: the URL of an S3 that is not AWS's.
    """
    quarantine = quarantine_in(data)
    with ExitStack() as stack:
        read: Callable[[int, int], bytes | memoryview]
        if source.startswith("s3://"):
            read = _object(stack, source, endpoint)
        elif Path(source).is_file():
            read = _file(stack, Path(source))
        else:
            read = _version(stack, quarantine, bucket, key, source)
        version = quarantine.restore(bucket, key_of(key), version_id, read, time.time_ns())
    text = f"{bucket}/{key} has its {version.size} bytes again, and is served"
    return Told(text, {"restored": True, "version_id": version.version_id})


def _file(stack: ExitStack, path: Path) -> Callable[[int, int], bytes]:
    file = stack.enter_context(path.open("rb"))

    def read(offset: int, length: int) -> bytes:
        file.seek(offset)
        return file.read(length)

    return read


def _object(stack: ExitStack, url: str, endpoint: str) -> Callable[[int, int], bytes]:
    source = s3_object(url, endpoint)
    stack.callback(source.close)
    return source.read


def _version(
    stack: ExitStack, quarantine: Quarantine, bucket: str, key: str, version_id: str
) -> Callable[[int, int], bytes | memoryview]:
    objects = quarantine.objects
    version = find(reconciled(objects.catalog.history, bucket, key_of(key), version_id), version_id)
    stored = StoredBytes(objects.blobs, version.spans, Pace())
    stack.callback(stored.close)
    return stored.read


def purged(data: Any, bucket: str, key: str, version_id: str | None, *, bypass: bool) -> Told:
    """Raises Refusal."""
    quarantine_in(data).purge(bucket, key_of(key), version_id, time.time_ns(), bypass=bypass)
    return Told(f"{bucket}/{key} is removed", {"purged": 1})


def key_of(text: str) -> bytes:
    """A key as it was given on a command line."""
    return text.encode("utf-8", "surrogateescape")


def _line(one: QuarantinedVersion) -> str:
    version = one.version
    return f"{one.bucket}/{_shown(one.key)} (version {version.version_id}), {version.size} bytes: {REASONS[one.why]}"


def _values(one: QuarantinedVersion) -> dict[str, Any]:
    version = one.version
    checksum = None if version.checksum is None else version.checksum.text
    return {
        "bucket": one.bucket,
        "key": _shown(one.key),
        "version_id": version.version_id,
        "size": version.size,
        "etag": version.etag,
        "checksum": checksum,
        "why": one.why,
        "since": datetime.fromtimestamp(one.since // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _shown(key: bytes) -> str:
    return key.decode("utf-8", "backslashreplace")
