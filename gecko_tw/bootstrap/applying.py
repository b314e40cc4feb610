"""Makes a deployment have what its configuration file declares. What is there already stays as it is; so does what the file omits."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from twisted.logger import Logger

from gecko_tw.bootstrap.buckets import ENABLED, LOCK, VERSIONING, DeclaredBucket, canned_list
from gecko_tw.bootstrap.declarations import Declarations, read_declarations
from gecko_tw.bootstrap.registering import check_forms, check_references, register
from gecko_tw.callers.access import acl
from gecko_tw.callers.accounts.identities import ROOT_ACCOUNT
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.resources.gates.access_settings import ACL
from gecko_tw.settings import BadSetting
from gecko_tw.settings.reading import Document, read_document
from gecko_tw.store.encryption.keyring import rings_of
from gecko_tw.store.interfaces import IBuckets
from gecko_tw.store.records import BucketRecord, now_of
from gecko_tw.store.refusals import BucketAlreadyExists, NoSuchBucket


@frozen(kw_only=True)
class Deployment:
    """What declarations are applied to.

    :ivar registry: where identities are kept.
    :ivar now: the time in nanoseconds since 1970.
    """

    buckets: IBuckets
    registry: Registry
    now: Callable[[], int] = lambda: now_of(time.time())


class Bootstrap:
    """Reads a configuration file and applies it, again and again.

    :param deployment: makes the Deployment, once it can be used.
    """

    log = Logger()

    def __init__(self, path: Path, environment: Mapping[str, str], deployment: Callable[[], Deployment]) -> None:
        self._path, self._environment, self._deployment = path, environment, deployment
        self._first: Document | None = None

    def __call__(self) -> None:
        """Applies the file as it is now; blocks. Nothing is applied of a file that has anything wrong.

        :raises BadSetting: what is wrong, with file and line.
        """
        document = read_document(self._path, self._environment)
        for line in apply(read_declarations(document), self._deployment()):
            self.log.info("{line}", line=line)
        first, self._first = self._first or document, self._first or document
        for key in changed_settings(first, document):
            self.log.warn("{key} was changed in {file}: it counts after a restart", key=key, file=document.file)


def changed_settings(before: Document, after: Document) -> list[str]:
    """The keys of the settings that two readings of a file disagree about."""
    names = sorted(before.settings.keys() | after.settings.keys())
    texts = [
        [document.settings[name].texts if name in document.settings else () for name in names]
        for document in (before, after)
    ]
    return [name.replace("_", "-") for name, one, other in zip(names, *texts, strict=True) if one != other]


def apply(declared: Declarations, deployment: Deployment) -> list[str]:
    """Makes it so, and returns a line for each thing that was made or changed.

    :raises BadSetting: a declaration contradicts what is there; nothing has been changed then.
    """
    wanted = check(declared, deployment)
    told = [*register(declared, deployment.registry), *_add_kms_keys(declared, deployment.registry)]
    for one, before, after in wanted:
        if before is None:
            _create(one, after, deployment.buckets)
            told.append(f"{one.place}: bucket is made")
        elif after != before:
            deployment.buckets.change(one.name, partial(_merged, one))
            told.append(f"{one.place}: bucket is changed")
    return told


def check(
    declared: Declarations, deployment: Deployment
) -> list[tuple[DeclaredBucket, BucketRecord | None, BucketRecord]]:
    """The declared buckets with their records as they are and as they are to be; changes nothing.

    :raises BadSetting: a declaration contradicts what is there, or refers to what is neither there nor declared.
    """
    found = {one.name: _found(one, deployment.buckets) for one in declared.buckets}
    check_forms(declared, deployment.registry)
    check_references(declared, deployment.registry)
    return [(one, found[one.name], _wanted(one, found[one.name], deployment)) for one in declared.buckets]


def _add_kms_keys(declared: Declarations, registry: Registry) -> Iterator[str]:
    """A line for each key of SSE-KMS that is made."""
    rings = rings_of(registry.documents, registry.sealer)
    known = rings.kms.names()
    for name in declared.kms_keys:
        if name not in known:
            rings.add(name)
            yield f"KMS key {name} is made"


def _found(declared: DeclaredBucket, buckets: IBuckets) -> BucketRecord | None:
    try:
        return buckets.get(declared.name)
    except NoSuchBucket:
        return None


def _create(declared: DeclaredBucket, record: BucketRecord, buckets: IBuckets) -> None:
    """Raises BadSetting when something else has its name."""
    try:
        buckets.create(record)
    except BucketAlreadyExists as taken:
        raise BadSetting(f"{declared.place}: {taken.code}: {taken.message}") from taken


def _wanted(declared: DeclaredBucket, found: BucketRecord | None, deployment: Deployment) -> BucketRecord:
    """The record that a bucket is to have. Raises BadSetting."""
    if found is None:
        return _merged(declared, BucketRecord(name=declared.name, created=deployment.now()))
    if declared.owner is not None and found.owner not in ("", ROOT_ACCOUNT, declared.owner):
        raise BadSetting(f"{declared.place}: belongs to account {found.owner}; the owner of a bucket cannot be changed")
    return _merged(declared, found)


def _merged(declared: DeclaredBucket, record: BucketRecord) -> BucketRecord:
    settings: dict[str, Any] = {name: value for name, value in declared.settings.items() if value is not None}
    kept = {name: value for name, value in record.settings.items() if name not in declared.settings}
    if LOCK in kept and settings.get(VERSIONING, ENABLED) != ENABLED:
        raise BadSetting(f"{declared.place}: versioning must stay enabled in a bucket with object-lock")
    owner = record.owner if declared.owner is None else declared.owner
    if declared.acl is not None:
        kept.pop(ACL, None)
        grants = acl.kept(canned_list(declared.acl, owner or ROOT_ACCOUNT), owner or ROOT_ACCOUNT)
        settings |= {} if grants is None else {ACL: grants}
    region = record.region if declared.region is None else declared.region
    return evolve(record, owner=owner, region=region, settings={**kept, **settings})
