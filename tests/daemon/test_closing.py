"""At the end the catalog is closed last: a thread that is still at work must not find its connection gone."""

from pathlib import Path
from types import SimpleNamespace

import pytest_twisted
from twisted.application.service import Service
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from gecko_tw.daemon.main_process import Daemon, Plan
from gecko_tw.settings import Settings
from gecko_tw.tap import Worker


class Steps(list):
    """What happened, in order; stands for a data directory, and for a pool as a service."""

    def close(self):
        self.append("closed")

    def pool(self):
        steps = self

        class Threads(Service):
            def stopService(self):
                super().stopService()
                steps.append("threads ended")

            def run(self, function, *arguments, **named):
                return maybeDeferred(function, *arguments, **named)

        return Threads()


@pytest_twisted.ensureDeferred
async def test_a_worker_ends_its_threads_before_it_closes_the_data_directory():
    steps = Steps()
    worker = Worker(Clock())
    worker._data, worker._pools = steps, (steps.pool(), steps.pool())
    await worker.stop()
    assert steps == ["threads ended", "threads ended", "closed"]


@pytest_twisted.ensureDeferred
async def test_the_daemon_ends_its_threads_before_it_closes_the_data_directory():
    steps = Steps()
    pool = steps.pool()
    plan = Plan(
        settings=Settings(data_dir=Path("nowhere")),
        listeners=(),
        data=SimpleNamespace(close=steps.close, driver=None),
        pools=(pool,),
        pool=pool,
        front=lambda ports: None,
        jobs=lambda scan: Service(),
    )
    daemon = Daemon(Clock(), plan)
    daemon.running = 1
    await daemon.stopService()
    assert steps == ["threads ended", "closed"]
