"""The verbs of multipart uploads: parts stay where they were written; completing joins lists of spans, and bytes are joined later."""

from functools import partial

from attrs import evolve, frozen
from zope.interface import implementer

from gecko_tw.store import copying
from gecko_tw.store.encryption.data_keys import CUSTOMER, OTHER_KEY, PART_HAS_SEAL, PART_NEEDS_SEAL
from gecko_tw.store.interfaces import IIncoming, IUploads
from gecko_tw.store.objects import DEFAULT_CHECKSUM, Objects
from gecko_tw.store.reconciled import reconciled
from gecko_tw.store.records import BlobNote, Checksum, KeyHistory, Part, Span, Upload, Version
from gecko_tw.store.refusals import InvalidArgument, InvalidRequest, NoSuchUpload, WrongCustomerKey
from gecko_tw.store.requests import Complete, ListRequest, Page, PutPart, Source
from gecko_tw.store.rules import multipart
from gecko_tw.store.rules.names import check_key
from gecko_tw.store.rules.quotas import check_of

MAX_PARTS = 10_000
_TRIES = 50


@implementer(IUploads)
@frozen
class Uploads:
    """See IUploads.

    :ivar objects: the objects that completed uploads become; its catalog and blobs are used here too.
    :ivar min_part_size: bytes that every part but the last must have, 0 to allow any.
    """

    objects: Objects
    min_part_size: int = 5 * 1024 * 1024

    def create(self, bucket: str, key: bytes, upload: Upload) -> None:
        check_key(key)
        self.objects.place(bucket, key, partial(multipart.start, upload=upload))

    def get(self, bucket: str, key: bytes, upload_id: str) -> Upload:
        upload = self._history(bucket, key, upload_id).upload(upload_id)
        if upload is None:
            raise NoSuchUpload(UploadId=upload_id)
        return upload

    def _history(self, bucket: str, key: bytes, upload_id: str) -> KeyHistory:
        """With the upload, or else with the version that it has become."""
        return reconciled(partial(self.objects.catalog.history, upload_id=upload_id), bucket, key)

    def put_part(self, bucket: str, key: bytes, upload_id: str, incoming: IIncoming, request: PutPart) -> Part:
        try:
            if not 1 <= request.number <= MAX_PARTS:
                raise InvalidArgument(
                    f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive",
                    ArgumentName="partNumber",
                    ArgumentValue=request.number,
                )
            upload = self.get(bucket, key, upload_id)
            if not request.copied:
                multipart.check_part_checksum(upload, request.checksum)
            algorithm = upload.checksum_algorithm or (DEFAULT_CHECKSUM if self.objects.hashing else None)
            if ("sse" in upload.extra) != incoming.is_sealed:
                raise InvalidRequest(PART_NEEDS_SEAL if "sse" in upload.extra else PART_HAS_SEAL)
            incoming.verify(request.length, request.claims)
            part = Part(
                number=request.number,
                etag=self.objects.etag(
                    incoming, request.now, claimed=True
                ),  # clients know the object's by those of its parts
                size=incoming.size,
                modified=request.now,
                spans=(),
                checksum=Checksum(algorithm, incoming.digests.value(algorithm)) if algorithm else None,
                stored=None if incoming.seal is None else incoming.stored,
            )
            blob = incoming.commit(BlobNote(bucket=bucket, key=key, record=part, upload=upload_id))
        finally:
            incoming.abort()
        part = evolve(part, spans=(Span(blob, 0, incoming.stored),))
        return self._add(bucket, key, upload_id, part)

    def _add(self, bucket: str, key: bytes, upload_id: str, part: Part) -> Part:
        objects = self.objects
        try:
            replaced = objects.catalog.add_part(bucket, key, upload_id, part, check_of(objects.catalog.bucket(bucket)))
        except BaseException:
            objects.blobs.remove([span.blob for span in part.spans])
            raise
        if replaced is not None:
            objects.blobs.release([span.blob for span in replaced.spans])
        return part

    def copy_part(self, source: Source, bucket: str, key: bytes, upload_id: str, number: int, now: int) -> Part:
        upload = self.get(bucket, key, upload_id)
        incoming = copying.body_of(self.objects, source, upload.checksum_algorithm)
        return self.put_part(bucket, key, upload_id, incoming, PutPart(now=now, number=number, copied=True))

    def parts(self, bucket: str, key: bytes, upload_id: str, after: int = 0, limit: int = MAX_PARTS) -> list[Part]:
        return self.objects.catalog.parts(bucket, key, upload_id, after, limit)

    def complete(self, bucket: str, key: bytes, upload_id: str, request: Complete) -> Version:
        for _ in range(_TRIES):
            history = self._history(bucket, key, upload_id)
            upload = history.upload(upload_id)
            if upload is None:
                return multipart.completed(history, upload_id, request)
            try:
                return self._complete(bucket, key, upload, request)
            except (multipart.Raced, NoSuchUpload):
                continue  # a part came meanwhile, or another request completed or aborted it: look again
        raise InvalidRequest("Parts of this upload keep changing while it is being completed.")

    def _complete(self, bucket: str, key: bytes, upload: Upload, request: Complete) -> Version:
        self._check_key(upload, request.customer_key)
        stored = {part.number: part for part in self.parts(bucket, key, upload.id)}
        chosen = multipart.choose(upload, stored, request.parts, self.min_part_size)
        version = multipart.join(upload, chosen, request)
        rule = partial(multipart.complete, upload=upload, version=version, request=request)
        applied = self.objects.place(bucket, key, rule, upload_id=upload.id)
        kept = {part.number for part in request.parts}
        self._drop([part for part in stored.values() if part.number not in kept])
        completed = applied.after.newest
        assert completed is not None
        return completed

    def _check_key(self, upload: Upload, customer_key: bytes | None) -> None:
        """Raises InvalidRequest unless a customer's key is the upload's. Where its object gets a checksum, there must be one."""
        record = upload.extra.get("sse")
        if customer_key is None:
            checked = upload.checksum_algorithm is not None or self.objects.hashing
            if record is not None and record["kind"] == CUSTOMER and checked:
                raise InvalidRequest(PART_NEEDS_SEAL)
            return
        if record is None:
            raise InvalidRequest(PART_HAS_SEAL)
        try:
            self.objects.keys.open(record, customer_key)
        except WrongCustomerKey:
            raise InvalidRequest(OTHER_KEY) from None

    def _drop(self, parts: list[Part]) -> None:
        if parts:
            self.objects.blobs.release([span.blob for part in parts for span in part.spans])

    def abort(self, bucket: str, key: bytes, upload_id: str) -> None:
        parts = self.parts(bucket, key, upload_id)
        self.objects.place(bucket, key, partial(multipart.abort, upload_id=upload_id), upload_id=upload_id)
        self._drop(parts)

    def page(self, bucket: str, request: ListRequest) -> Page:
        return self.objects.page(bucket, request, "uploads")
