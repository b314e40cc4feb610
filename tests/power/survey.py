"""Everything that a daemon serves, asked for in every way there is; the ways must agree."""

import hashlib
import random
from itertools import groupby
from urllib.parse import quote
from xml.etree.ElementTree import Element

from attrs import Factory, define

from tests.power.client import Answer, Client, text
from tests.power.model import State, Subject, Version

PLAIN_NAMES = (
    "etag",
    "content-length",
    "content-type",
    "x-amz-meta-note",
    "x-amz-version-id",
    "x-amz-server-side-encryption",
)
"""Headers in which GET and HEAD must agree."""


@define
class Survey:
    """What was found.

    :ivar states: of every key, upload and bucket that is there.
    :ivar faults: where a daemon contradicts itself, or fails.
    """

    states: dict[Subject, State] = Factory(dict)
    faults: list[str] = Factory(list)

    def counted(self) -> str:
        """How much there was to compare."""
        versions = sum(len(state) for subject, state in self.states.items() if subject.key and not subject.upload)
        uploads = sum(bool(subject.upload) for subject in self.states)
        return f"{versions} versions and {uploads} uploads"

    def objects(self) -> dict[Subject, State]:
        """Without uploads."""
        return {subject: state for subject, state in self.states.items() if not subject.upload}


def survey(client: Client, known: set[Subject]) -> Survey:
    """Asks for everything that is listed, and for every known key that is not."""
    found = Survey()
    for entry in client.do("GET", "/").xml().iterfind(".//{*}Bucket"):
        bucket = text(entry, "Name")
        tagging = client.ask("GET", f"/{bucket}", "tagging")
        found.states[Subject(bucket)] = _tags(tagging) if tagging.status == 200 else ""
        _survey_versions(client, bucket, found)
        _survey_uploads(client, bucket, found)
    for subject in known - found.states.keys():
        if subject.key and not subject.upload:
            _expect_nothing(client, subject, found)
    return found


def _survey_versions(client: Client, bucket: str, found: Survey) -> None:
    page = client.do("GET", f"/{bucket}", "versions").xml()
    assert text(page, "IsTruncated") == "false", "more versions than a page has"
    entries = [entry for entry in page if entry.tag.endswith(("}Version", "}DeleteMarker"))]
    for key, group in groupby(entries, lambda entry: text(entry, "Key")):
        subject, listed = Subject(bucket, key), list(group)
        if subject in found.states:
            found.faults.append(f"{subject}: listed at two places")
        latest = [text(entry, "IsLatest") for entry in listed]
        if latest != ["true", *["false"] * (len(listed) - 1)]:
            found.faults.append(f"{subject}: IsLatest is {latest}")
        found.states[subject] = tuple(_version(client, subject, entry, found) for entry in listed)
        _survey_newest(client, subject, found)
    newest = {
        key.key: state[0] for key, state in found.states.items() if key.bucket == bucket and key.key and not key.upload
    }
    expected = {key: (one.size, one.etag) for key, one in newest.items() if one.digest is not None}
    for query in ("list-type=2", ""):
        entries = list(client.do("GET", f"/{bucket}", query).xml().iterfind("{*}Contents"))
        objects = {text(one, "Key"): (int(text(one, "Size")), text(one, "ETag").strip('"')) for one in entries}
        if objects != expected:
            odd = dict(sorted(objects.items() ^ expected.items()))
            found.faults.append(f"{bucket}: the list of objects and that of versions differ: {odd}")


def _version(client: Client, subject: Subject, entry: Element, found: Survey) -> Version:
    """One that is listed, read."""
    version_id = text(entry, "VersionId")
    path, query = f"/{subject.bucket}/{subject.key}", f"versionId={version_id}"
    answer = client.ask("GET", path, query)
    if entry.tag.endswith("}DeleteMarker"):
        if answer.status != 405:
            found.faults.append(f"{subject} {version_id}: GET of a delete marker answers {answer.status}")
        return Version(version_id)
    if answer.status != 200:
        found.faults.append(f"{subject} {version_id}: listed, and GET answers {answer.status} {answer.body[:200]!r}")
        headers = client.ask("HEAD", path, query).headers
        return Version(version_id, digest=f"status {answer.status}", note=headers.get("x-amz-meta-note", ""))
    _compare_head(client, path, query, answer, found)
    headers, digest = answer.headers, hashlib.md5(answer.body).hexdigest()
    listed = (int(text(entry, "Size")), text(entry, "ETag").strip('"'))
    if listed != (len(answer.body), answer.etag):
        found.faults.append(f"{subject} {version_id}: listed as {listed}, read as {(len(answer.body), answer.etag)}")
    if answer.body and not any(answer.body):
        found.faults.append(f"{subject} {version_id}: {len(answer.body)} zeros")
    tags = client.ask("GET", path, f"tagging&{query}")
    if tags.status != 200:
        found.faults.append(f"{subject} {version_id}: its tags answer {tags.status}")
    return Version(
        version_id,
        digest,
        len(answer.body),
        answer.etag,
        headers.get("content-type", ""),
        headers.get("x-amz-meta-note", ""),
        _tags(tags) if tags.status == 200 else "",
        "x-amz-server-side-encryption" in headers,
    )


def _compare_head(client: Client, path: str, query: str, got: Answer, found: Survey) -> None:
    head = client.ask("HEAD", path, query)
    if head.status != got.status:
        found.faults.append(f"{path}?{query}: HEAD answers {head.status}, GET {got.status}")
    for name in PLAIN_NAMES if got.status == 200 else ():
        if head.headers.get(name) != got.headers.get(name):
            odd = f"{head.status} {head.headers.get(name)}, {got.status} {got.headers.get(name)}"
            found.faults.append(f"{path}?{query}: HEAD and GET differ in {name}: {odd}")


def _survey_newest(client: Client, subject: Subject, found: Survey) -> None:
    """What is served without a version id is the newest version."""
    newest = found.states[subject][0]
    path = f"/{subject.bucket}/{subject.key}"
    answer = client.ask("GET", path)
    _compare_head(client, path, "", answer, found)
    seen = (
        hashlib.md5(answer.body).hexdigest()
        if answer.status == 200
        else None
        if answer.status == 404
        else answer.status
    )
    if seen != newest.digest and not str(newest.digest).startswith("status"):
        found.faults.append(f"{subject}: GET answers {answer.status} with {seen}, the newest version is {newest}")


def _expect_nothing(client: Client, subject: Subject, found: Survey) -> None:
    for method in ("GET", "HEAD"):
        answer = client.ask(method, f"/{subject.bucket}/{subject.key}")
        if answer.status != 404:
            found.faults.append(f"{subject}: not listed, and {method} answers {answer.status} {answer.body[:100]!r}")


def _survey_uploads(client: Client, bucket: str, found: Survey) -> None:
    for entry in client.do("GET", f"/{bucket}", "uploads").xml().iterfind("{*}Upload"):
        subject = Subject(bucket, text(entry, "Key"), text(entry, "UploadId"))
        answer = client.ask("GET", f"/{bucket}/{subject.key}", f"uploadId={subject.upload}")
        if answer.status != 200:
            found.faults.append(f"{subject}: listed, and its parts answer {answer.status}")
            continue
        parts = answer.xml().iterfind("{*}Part")
        found.states[subject] = tuple((int(text(part, "PartNumber")), text(part, "ETag").strip('"')) for part in parts)


def _tags(answer: Answer) -> str:
    return ",".join(
        f"{text(tag, 'Key')}={text(tag, 'Value')}" for tag in answer.xml().iter() if tag.tag.endswith("}Tag")
    )


def use(client: Client, found: Survey, hashed: bool, rng: random.Random) -> list[str]:
    """Goes on where the clients were: completes the uploads, and writes, overwrites and deletes keys."""
    faults = []
    for upload, parts in found.states.items():
        if upload.upload and parts:
            faults += _complete(client, upload, parts, hashed)
    keys = [subject for subject in found.states if subject.key and not subject.upload]
    for subject in rng.sample(keys, min(6, len(keys))):
        path, body = f"/{subject.bucket}/{quote(subject.key)}", rng.randbytes(5000)
        statuses = [client.ask("PUT", f"/{subject.bucket}/{subject.key}", body=body).status]
        answer = client.ask("GET", f"/{subject.bucket}/{subject.key}")
        statuses += [answer.status]
        if rng.random() < 0.5:
            statuses += [client.ask("DELETE", f"/{subject.bucket}/{subject.key}").status]
        if statuses not in ([200, 200], [200, 200, 204]) or answer.body != body:
            faults.append(f"{path}: overwritten, read and perhaps deleted: {statuses}")
    return faults


def _complete(client: Client, upload: Subject, parts: State, hashed: bool) -> list[str]:
    path = f"/{upload.bucket}/{upload.key}"
    listed = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in parts)
    body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    answer = client.ask("POST", path, f"uploadId={upload.upload}", body)
    if answer.status != 200:
        return [f"{upload}: its parts are listed, and cannot be completed: {answer.status} {answer.body[:200]!r}"]
    faults = []
    for number, etag in parts:
        part = client.ask("GET", path, f"partNumber={number}")
        digest = hashlib.md5(part.body).hexdigest()
        if part.status != 206 or (hashed and digest != etag):
            faults.append(f"{upload}: part {number} has the ETag {etag}, and is read as {part.status} {digest}")
    return faults
