"""Holds what a configuration file declares against the data directory that it is for, and changes nothing."""

from gecko_tw.bootstrap.applying import Deployment, check
from gecko_tw.bootstrap.declarations import Declarations
from gecko_tw.callers.accounts.registry import Registry
from gecko_tw.callers.accounts.sealing import Sealer
from gecko_tw.daemon.data_dir import CannotOpen, DataDir, is_data_dir
from gecko_tw.daemon.deployment import store_in
from gecko_tw.settings import Settings
from gecko_tw.settings.kinds import KEY_BYTES
from gecko_tw.store.buckets import Buckets
from gecko_tw.store.drivers.memory import MemoryDriver


def check_declarations(declared: Declarations, settings: Settings) -> str:
    """Checks against the data directory, or an empty one where there is none; returns a remark, or nothing.

    :raises BadSetting: a declaration contradicts what is there, or refers to what is neither there nor declared.
    """
    if not is_data_dir(settings.data_dir):
        driver = MemoryDriver()
        registry = Registry(driver.documents, Sealer(bytes(KEY_BYTES)), settings.access_key)
        check(declared, Deployment(buckets=Buckets(driver.catalog), registry=registry))
        return ""
    data = DataDir(settings)
    try:
        data.open()
        store = store_in(data, settings)
        check(declared, Deployment(buckets=store.buckets, registry=store.registry))
        return ""
    except CannotOpen as problem:
        return f"not compared with what is in the data directory: {problem}"
    finally:
        data.close()
