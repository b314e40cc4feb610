"""The admin API and MinIO's face of it put together: what their verbs work on, in a daemon and for the command line."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gecko_tw import __version__
from gecko_tw.admin.api import AdminApi
from gecko_tw.admin.audit import AuditLog
from gecko_tw.admin.bytebucket import table as bytebucket
from gecko_tw.admin.bytebucket.face import OFF, ByteBucketFace
from gecko_tw.admin.console import Console
from gecko_tw.admin.ground import Ground, Live
from gecko_tw.admin.jay import table as jay
from gecko_tw.admin.jay.face import JayFace
from gecko_tw.admin.minio.face import MinioFace
from gecko_tw.admin.minio.metrics import MinioMetrics
from gecko_tw.admin.minio.table import MINIO_ROWS
from gecko_tw.admin.table import ROWS
from gecko_tw.admin.tree import AdminFace
from gecko_tw.callers.budgets.tally import Tally
from gecko_tw.daemon.data_dir import DataDir
from gecko_tw.daemon.deployment import Store, identities_of, store_in
from gecko_tw.daemon.listening import S3, Listener
from gecko_tw.daemon.logs import STDOUT, write_line
from gecko_tw.daemon.protection import jay_secret_of
from gecko_tw.resources.gates.lockout import Lockout
from gecko_tw.resources.service import Service
from gecko_tw.settings import Settings
from gecko_tw.store.encryption.keyring import rings_of


def ground_of(data: DataDir, settings: Settings, store: Store | None = None, daemon: Live | None = None) -> Ground:
    """What verbs work on.

    :param data: open.
    :param store: that of the data directory, where there is one already.
    :param daemon: what only a daemon knows; None for the command line.
    """
    store = store_in(data, settings) if store is None else store
    return Ground(
        settings=settings,
        store=store,
        identities=identities_of(settings, store),
        rings=rings_of(store.documents, data.sealer),
        sizes=data.sizes,
        clock=time.time,
        daemon=daemon,
        jay_secret=jay_secret_of(settings, store.registry.sealer),
    )


def faces_for(
    service: Service, ground: Ground, tally: Tally, write: Callable[[str], Any] | None
) -> tuple[AdminFace, ...]:
    """The faces that the settings switch on.

    :param tally: what is counted in all processes together.
    :param write: receives the lines of the audit log that are for standard output; None for that itself.
    """
    out = partial(write_line, STDOUT) if write is None else write
    settings = ground.settings
    audit = AuditLog(settings.audit_log, out)
    faces: list[AdminFace] = [AdminApi(service, ROWS, ground, audit)]
    if settings.admin_token:
        lockout = Lockout(tally, service.clock.seconds)
        faces.append(JayFace(service, jay.ROWS, ground, audit, settings.admin_token.encode(), lockout))
    if settings.bytebucket_api != OFF:
        faces.append(ByteBucketFace(service, bytebucket.ROWS, ground, audit, settings.bytebucket_api))
    return tuple(faces)


def minio_for(
    service: Service, ground: Ground, document: Callable[[], bytes], write: Callable[[str], Any] | None
) -> MinioFace:
    """MinIO's face.

    :param document: makes the metrics of this node; blocks.
    :param write: as that of :func:`faces_for`.
    """
    out = partial(write_line, STDOUT) if write is None else write
    settings = ground.settings
    metrics = MinioMetrics(ground, settings.minio_metrics, document)
    rows = MINIO_ROWS if settings.minio_admin else None
    return MinioFace(service, rows, ground, AuditLog(settings.audit_log, out), metrics)


def console_for(service: Service, settings: Settings, listeners: tuple[Listener, ...]) -> Console:
    """The console.

    :param listeners: that of S3 among them: the page makes links to it.
    """
    about = {
        "version": __version__,
        "region": service.region,
        "auth": settings.auth,
        "s3": [{"place": one.text, "secure": one.secure} for one in listeners if one.site == S3],
    }
    return Console(service.bytes_pool, about)


def places_of(listeners: tuple[Listener, ...]) -> tuple[dict[str, object], ...]:
    """Where a daemon listens, as it was told."""
    return tuple({"place": one.text, "site": one.site, "secure": one.secure} for one in listeners)
