"""Quotas where they are met by requests: a body that a bucket has no room for is refused before it is read."""

from gecko_tw.resources.call import Call
from gecko_tw.store.room import check_object, check_part
from gecko_tw.store.rules.quotas import SETTING


def limits(call: Call) -> bool:
    """Whether the addressed bucket has a quota."""
    return call.record is not None and SETTING in call.record.settings


async def refuse_without_room(call: Call, size: int | None) -> None:
    """Asks whether an object of ``size`` bytes has room; None when nobody knows how large it will be. Raises QuotaExceeded."""
    if size is not None and call.record is not None:
        service = call.service
        await service.scan(check_object, service.objects.catalog, call.record, call.key, size)


async def refuse_part_without_room(call: Call, upload_id: str, number: int, size: int | None) -> None:
    """The same for a part. Raises NoSuchUpload, QuotaExceeded."""
    if size is not None and call.record is not None:
        service = call.service
        await service.scan(check_part, service.objects.catalog, call.record, call.key, upload_id, number, size)
