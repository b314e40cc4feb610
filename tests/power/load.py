"""A mixed load: several clients at once, each with keys, uploads and a bucket of its own, so that the order of its changes is known."""

import base64
import hashlib
import random
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from attrs import evolve

from tests.power.client import Answer, Client, text
from tests.power.model import Record, State, Step, Subject, Version

PLAIN, VERSIONS, SUSPENDED = "plain", "versions", "suspended"
BUCKETS = (PLAIN, VERSIONS, SUSPENDED)
SIZES = (0, 900, 900, 900, 4096, 4096, 4096, 100_000, 100_000, 2_700_000)
MOST_VERSIONS = 6
KEYS = (
    "{}",
    "shared/{}",
    "shared/{}-b",
    "shared/{}/below",
    "deep/{}/a/b",
    "{}//odd",
    "folder {}/",
    "long/{}/" + 300 * "n",
)
"""Of one client. `shared/1` and `shared/1/below` cannot both be files; the last three are no paths."""


def make_buckets(client: Client, record: Record) -> None:
    """Those that all share."""
    for bucket in BUCKETS:
        client.do("PUT", f"/{bucket}")
        record.histories[Subject(bucket)] = [Step("made before", 0.0, 0.0, "")]
    _set_versioning(client, VERSIONS, "Enabled")
    _set_versioning(client, SUSPENDED, "Enabled")


def suspend(client: Client) -> None:
    """From now on the third bucket writes null versions above the ones that it has."""
    _set_versioning(client, SUSPENDED, "Suspended")


def _set_versioning(client: Client, bucket: str, status: str) -> None:
    document = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"
    _put_document(client, f"/{bucket}", "versioning", document)


class Hand(threading.Thread):
    """One client at work until it is told to stop."""

    def __init__(self, number: int, client: Client, record: Record, rng: random.Random) -> None:
        super().__init__(name=f"hand {number}")
        self.number, self.client, self.record, self.rng = number, client, record, rng
        self.enough = threading.Event()
        self._count = 0
        self._uploads: dict[Subject, dict[int, bytes]] = {}
        self._notes: dict[Subject, str] = {}
        self._versioned = {VERSIONS, SUSPENDED}
        self._null: set[str] = set()
        self._choices: dict[Callable[[], object], int] = {
            self.put: 30,
            self.delete: 8,
            self.delete_version: 8,
            self.delete_several: 3,
            self.tag: 8,
            self.copy: 8,
            self.rename: 8,
            self.upload: 12,
            self.end_upload: 8,
            self.change_bucket: 8,
        }

    def run(self) -> None:
        try:
            while not self.enough.is_set():
                self.rng.choices(list(self._choices), list(self._choices.values()))[0]()
        except Exception as error:  # the daemon of the load is under test, too
            self.record.troubles.append(f"{self.name}: {error!r}")
        finally:
            self.client.close()

    def prepare(self) -> None:
        """Something under every key."""
        for bucket in BUCKETS:
            for key in self._keys():
                self.put(Subject(bucket, key))
        self.upload()

    def suspended(self) -> None:
        """It was told that the third bucket keeps no more versions."""
        self._null.add(SUSPENDED)

    # ---- changes of keys

    def put(self, subject: Subject | None = None) -> None:
        subject = subject or self._any()
        body, note = self._body()
        sealed = self.rng.random() < 0.15
        more = {"x_amz_server_side_encryption": "AES256"} if sealed else {}
        tags = self._tags() if self.rng.random() < 0.2 else ""
        if tags:
            more["x_amz_tagging"] = tags
        kind = self.rng.choice(("text/plain", "image/x-power"))

        def version(answer: Answer) -> Version:
            return Version(answer.version_id, _md5(body), len(body), answer.etag, kind, note, tags, sealed)

        self._add(subject, "put", version, "PUT", body=body, content_type=kind, x_amz_meta_note=note, **more)

    def copy(self) -> None:
        source = self._with_object(BUCKETS)
        if source is None:
            return
        subject = source if self.rng.random() < 0.3 else self._any()
        old, note = self.record.state(source)[0], self._note()

        def version(answer: Answer) -> Version:
            etag = text(answer.xml(), "ETag").strip('"')
            return evolve(old, id=answer.version_id, etag=etag, kind="text/copy", note=note, sealed=False)

        self._add(
            subject,
            f"copy of {source}",
            version,
            "PUT",
            x_amz_copy_source=quote(f"{source.bucket}/{source.key}"),
            x_amz_metadata_directive="REPLACE",
            x_amz_meta_note=note,
            content_type="text/copy",
        )

    def delete(self) -> None:
        subject = self._any()
        sent = time.monotonic()
        answer = self.client.do("DELETE", self._path(subject))
        self._step(subject, "delete", sent, self._deleted(subject, answer.version_id))

    def delete_version(self) -> None:
        subject = self._any((VERSIONS, SUSPENDED))
        if self.record.state(subject):
            self._drop(subject)

    def delete_several(self) -> None:
        bucket = self.rng.choice(BUCKETS)
        keys = self.rng.sample(self._keys(), 3)
        objects = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
        body = f"<Delete>{objects}</Delete>".encode()
        sent = time.monotonic()
        answer = self.client.do("POST", f"/{bucket}", "delete", body, x_amz_checksum_crc32=_crc32(body))
        markers = {
            text(entry, "Key"): text(entry, "DeleteMarkerVersionId") for entry in answer.xml().iterfind("{*}Deleted")
        }
        if markers.keys() != set(keys):
            raise AssertionError(f"DeleteObjects: {answer.body!r}")
        for key in keys:
            subject = Subject(bucket, key)
            self._step(subject, "delete several", sent, self._deleted(subject, markers[key]))

    def tag(self) -> None:
        subject = self._any()
        state = self.record.state(subject)
        places = [place for place, version in enumerate(state) if version.digest is not None]
        if not places:
            return
        place, tags = self.rng.choice(places), self._tags()
        sent = time.monotonic()
        _put_document(self.client, self._path(subject), f"tagging&versionId={state[place].id}", _tagging(tags))
        tagged = evolve(state[place], tags=tags)
        self._step(subject, f"tag {tagged.id[-8:]}", sent, (*state[:place], tagged, *state[place + 1 :]))

    def rename(self) -> None:
        source, target = self._with_object((PLAIN,)), self._any((PLAIN,))
        if source is None or source == target:
            return
        sent = time.monotonic()
        name = quote(f"/{PLAIN}/{source.key}")
        self.client.do("PUT", self._path(target), "renameObject", x_amz_rename_source=name)
        acked, state, what = time.monotonic(), self.record.state(source), f"rename {source} to {target}"
        self.record.move(what, (source, Step(what, sent, acked, ())), (target, Step(what, sent, acked, state)))

    # ---- uploads

    def upload(self) -> None:
        """Begins one, or adds a part to one, or replaces a part."""
        if not self._uploads or (len(self._uploads) < 3 and self.rng.random() < 0.4):
            self._begin_upload()
            return
        upload = self.rng.choice(list(self._uploads))
        number, (body, _note) = self.rng.randint(1, 3), self._body()
        sent = time.monotonic()
        answer = self.client.do("PUT", self._path(upload), f"partNumber={number}&uploadId={upload.upload}", body)
        parts = dict(self.record.state(upload)) | {number: answer.etag}
        self._step(upload, f"part {number}", sent, tuple(sorted(parts.items())))
        self._uploads[upload][number] = body

    def end_upload(self) -> None:
        if not self._uploads:
            return
        upload = self.rng.choice(list(self._uploads))
        if not self._uploads[upload] or self.rng.random() < 0.15:
            sent = time.monotonic()
            self.client.do("DELETE", self._path(upload), f"uploadId={upload.upload}")
            self._step(upload, "abort", sent, None)
        else:
            self._complete(upload)
        del self._uploads[upload]

    def _begin_upload(self) -> None:
        subject, note = self._any(), self._note()
        sent = time.monotonic()
        answer = self.client.do("POST", self._path(subject), "uploads", content_type="text/parts", x_amz_meta_note=note)
        upload = evolve(subject, upload=text(answer.xml(), "UploadId"))
        self._step(upload, f"begin upload {note}", sent, ())
        self._uploads[upload] = {}
        self._notes[upload] = note

    def _complete(self, upload: Subject) -> None:
        subject, parts = evolve(upload, upload=""), self.record.state(upload)
        listed = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in parts)
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        sent = time.monotonic()
        answer = self.client.do("POST", self._path(upload), f"uploadId={upload.upload}", body)
        acked, whole = time.monotonic(), b"".join(body for _number, body in sorted(self._uploads[upload].items()))
        etag = text(answer.xml(), "ETag").strip('"')
        note = self._notes.pop(upload)
        version = Version(answer.version_id, _md5(whole), len(whole), etag, "text/parts", note)
        state, what = self._under(subject, version), f"complete {upload}"
        self.record.move(what, (upload, Step(what, sent, acked, None)), (subject, Step(what, sent, acked, state)))

    # ---- its own bucket

    def change_bucket(self) -> None:
        """Makes, tags, fills, empties and removes a bucket."""
        bucket = Subject(f"own-{self.number}")
        inside = Subject(bucket.bucket, "inside")
        tags, sent = self.record.state(bucket), time.monotonic()
        if tags is None:
            self.client.do("PUT", f"/{bucket.bucket}")
            self._step(bucket, "make bucket", sent, "")
        elif self.rng.random() < 0.3:
            tags = self._tags()
            _put_document(self.client, f"/{bucket.bucket}", "tagging", _tagging(tags))
            self._step(bucket, "tag bucket", sent, tags)
        elif not self.record.state(inside) and self.rng.random() < 0.5:
            self.put(inside)
        elif self.record.state(inside):
            self.client.do("DELETE", self._path(inside))
            self._step(inside, "delete", sent, ())
        else:
            self.client.do("DELETE", f"/{bucket.bucket}")
            self._step(bucket, "remove bucket", sent, None)

    # ---- what they share

    def _keys(self) -> list[str]:
        return [key.format(self.number) for key in KEYS]

    def _any(self, buckets: tuple[str, ...] = BUCKETS) -> Subject:
        return Subject(self.rng.choice(buckets), self.rng.choice(self._keys()))

    def _with_object(self, buckets: tuple[str, ...]) -> Subject | None:
        subjects = [Subject(bucket, key) for bucket in buckets for key in self._keys()]
        full = [one for one in subjects if (state := self.record.state(one)) and state[0].digest is not None]
        return self.rng.choice(full) if full else None

    @staticmethod
    def _path(subject: Subject) -> str:
        return f"/{subject.bucket}/{subject.key}"

    def _note(self) -> str:
        self._count += 1
        return f"h{self.number}-{self._count}"

    def _body(self) -> tuple[bytes, str]:
        """Bytes that no other operation sends, and what tells them."""
        note, size = self._note(), self.rng.choice(SIZES)
        return (note.encode() + b" " + self.rng.randbytes(size))[:size], note

    def _tags(self) -> str:
        return f"tag={self._note()}"

    def _add(
        self, subject: Subject, what: str, version: Callable[[Answer], Version], method: str, **asked: Any
    ) -> None:
        """A request that puts a version on top, and one of the others away when there are many."""
        sent = time.monotonic()
        answer = self.client.do(method, self._path(subject), **asked)
        made = version(answer)
        self._step(subject, f"{what} {made.note}", sent, self._under(subject, made))
        if len(self.record.state(subject)) > MOST_VERSIONS:
            self._drop(subject)

    def _drop(self, subject: Subject) -> None:
        state = self.record.state(subject)
        version = self.rng.choice(state)
        sent = time.monotonic()
        self.client.do("DELETE", self._path(subject), f"versionId={version.id}")
        left = tuple(one for one in state if one is not version)
        self._step(subject, f"delete version {version.id[-8:]}", sent, left)

    def _step(self, subject: Subject, what: str, sent: float, state: State) -> None:
        self.record.add(subject, Step(what, sent, time.monotonic(), state))

    def _under(self, subject: Subject, version: Version) -> State:
        """The state with a new version on top."""
        if subject.bucket not in self._versioned:
            return (version,)
        state = self.record.state(subject)
        if subject.bucket in self._null:
            state = tuple(one for one in state if one.id != "null")
        return (version, *state)

    def _deleted(self, subject: Subject, marker: str) -> State:
        return self._under(subject, Version(marker)) if subject.bucket in self._versioned else ()


def _md5(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


def _crc32(body: bytes) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def _tagging(tags: str) -> str:
    key, value = tags.split("=")
    return f"<Tagging><TagSet><Tag><Key>{key}</Key><Value>{value}</Value></Tag></TagSet></Tagging>"


def _put_document(client: Client, path: str, query: str, document: str) -> None:
    body = document.encode()
    client.do("PUT", path, query, body, x_amz_checksum_crc32=_crc32(body))
