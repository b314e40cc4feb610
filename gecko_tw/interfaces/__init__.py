"""Every interface of gecko_tw: verbs only, each method naming its refusals (classes of ``store/refusals.py``)."""

from gecko_tw.interfaces.drivers import (
    BlobGone,
    IBlobCloning,
    IBlobReader,
    IBlobs,
    IBlobWriter,
    ICatalog,
    ICommonPrefixes,
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
    IRoomyConsumer,
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
    "ICommonPrefixes",
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
    "IRoomyConsumer",
    "IReading",
    "IUpload",
    "IUploads",
    "IUsage",
    "IWireRequest",
    "Unsettled",
    "UploadCut",
    "UploadStalled",
]
