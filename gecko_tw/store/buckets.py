"""The verbs of buckets."""

from collections.abc import Callable

from attrs import frozen
from zope.interface import implementer

from gecko_tw.store.bucket_names import is_bucket_name
from gecko_tw.store.drivers.interfaces import ICatalog
from gecko_tw.store.interfaces import IBuckets
from gecko_tw.store.records import BucketRecord
from gecko_tw.store.refusals import BucketAlreadyExists, BucketAlreadyOwnedByYou, InvalidBucketName, NoSuchBucket
from gecko_tw.store.rules.names import check_bucket_name


@implementer(IBuckets)
@frozen
class Buckets:
    """See IBuckets."""

    catalog: ICatalog

    def page(self, prefix: str, after: str, limit: int) -> list[BucketRecord]:
        return self.catalog.buckets(prefix, after, limit)

    def get(self, name: str, look: bool = True) -> BucketRecord:
        if not is_bucket_name(name):
            raise InvalidBucketName(BucketName=name)
        try:
            return self.catalog.bucket(name, look)
        except NoSuchBucket:
            raise NoSuchBucket(BucketName=name) from None

    def create(self, record: BucketRecord) -> None:
        check_bucket_name(record.name)
        try:
            self.catalog.add_bucket(record)
        except BucketAlreadyExists as taken:
            try:
                found = self.catalog.bucket(record.name)
            except NoSuchBucket:  # what has its name is none
                raise taken from None
            if found.owner == record.owner:
                raise BucketAlreadyOwnedByYou(BucketName=record.name) from None
            raise

    def remove(self, name: str) -> None:
        self.catalog.remove_bucket(self.get(name).name)

    def change(self, name: str, rule: Callable[[BucketRecord], BucketRecord]) -> BucketRecord:
        return self.catalog.change_bucket(self.get(name).name, rule)
