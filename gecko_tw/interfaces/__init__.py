"""Every interface of gecko_tw: verbs only, each method naming its refusals (classes of ``store/refusals.py``)."""

from gecko_tw.interfaces.drivers import (
    BlobGone,
    IBlobCloning,
    IBlobReader,
    IBlobs,
    IBlobWriter,
    ICatalog,
    IDocuments,
    INotices,
    IUsage,
    Unsettled,
)
from gecko_tw.interfaces.extensions import (
    IKeyManagement,
    IKeyManagementService,
    INotificationSink,
    INotificationSinkFamily,
    IOperationFamily,
)
from gecko_tw.interfaces.store import (
    IBuckets,
    IIncoming,
    IObjects,
    IReading,
    IUploads,
)
from gecko_tw.interfaces.wire import (
    IPool,
    IUpload,
    IWireRequest,
    UploadCut,
    UploadStalled,
)

__all__ = [
    "BlobGone",
    "IBlobCloning",
    "IBlobReader",
    "IBlobWriter",
    "IBlobs",
    "IBuckets",
    "ICatalog",
    "IDocuments",
    "IIncoming",
    "IKeyManagement",
    "IKeyManagementService",
    "INotices",
    "INotificationSink",
    "INotificationSinkFamily",
    "IObjects",
    "IOperationFamily",
    "IPool",
    "IReading",
    "IUpload",
    "IUploads",
    "IUsage",
    "IWireRequest",
    "Unsettled",
    "UploadCut",
    "UploadStalled",
]
