"""The settings of a bucket that say who may use it: their names, and what they come to together."""

from collections.abc import Mapping
from threading import Lock

from gecko_tw.callers.access.policies import Policy, is_public, read_bucket_policy
from gecko_tw.resources.service import Service
from gecko_tw.store.records import BucketRecord, Version

POLICY, ACL, OWNERSHIP, BLOCK = "policy", "acl", "ownership", "public-access-block"
"""Names of settings; ``ACL`` is that of a version's extra, too."""

ENFORCED, PREFERRED, WRITER = "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"
OWNERSHIPS = (ENFORCED, PREFERRED, WRITER)

HONOUR, IGNORE, REFUSE = "honour", "ignore", "refuse"
"""What a deployment does with access control lists."""

BLOCK_ACLS, IGNORE_ACLS = "BlockPublicAcls", "IgnorePublicAcls"
BLOCK_POLICY, RESTRICT = "BlockPublicPolicy", "RestrictPublicBuckets"
BLOCKS = (BLOCK_ACLS, IGNORE_ACLS, BLOCK_POLICY, RESTRICT)


def ownership_of(service: Service, record: BucketRecord) -> str:
    """Who owns objects of a bucket; where nobody said so, it is as the deployment treats access control lists."""
    if service.acl == IGNORE:
        return ENFORCED
    return record.settings.get(OWNERSHIP) or (ENFORCED if service.acl == REFUSE else WRITER)


def acls_count(service: Service, record: BucketRecord) -> bool:
    """Whether access control lists of the bucket and its objects grant anything."""
    return ownership_of(service, record) != ENFORCED


def blocks(record: BucketRecord, what: str) -> bool:
    """Whether the bucket's public access block has one of ``BLOCKS`` switched on."""
    block: Mapping[str, bool] | None = record.settings.get(BLOCK)
    return block is not None and block.get(what, False)


def bucket_owner(service: Service, record: BucketRecord) -> str:
    """The account of a bucket."""
    return record.owner or service.owner


def object_owner(service: Service, record: BucketRecord, version: Version) -> str:
    """The account of an object: the bucket's own where that is enforced, whoever wrote it."""
    if ownership_of(service, record) == ENFORCED:
        return bucket_owner(service, record)
    return version.owner or service.owner


def policy_of(text: str, bucket: str) -> tuple[Policy, bool]:
    """A bucket's policy by its text, and whether it is public."""
    found = _read.get((text, bucket))
    return _remember(text, bucket) if found is None else found


REMEMBERED = 512 * 1024
"""Characters of policies that are kept as they were read, which takes a hundred times as much memory and more. The oldest leave."""

_read: dict[tuple[str, str], tuple[Policy, bool]] = {}
_changing = Lock()


def _remember(text: str, bucket: str) -> tuple[Policy, bool]:
    policy = read_bucket_policy(text, bucket)
    found = policy, is_public(policy)
    with _changing:
        _read[text, bucket] = found
        size = sum(len(other) for other, _ in _read)
        while size > REMEMBERED and len(_read) > 1:
            oldest = next(iter(_read))
            size -= len(oldest[0])
            del _read[oldest]
    return found
