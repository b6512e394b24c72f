"""The servers of one instance together: started side by side, stopped in reverse."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from weahouse.embedded import jars, process, servers
from weahouse.settings import Settings

Report = jars.Report


@contextmanager
def starting(settings: Settings) -> Iterator[None]:
    """Held while an instance is started or stopped, so that two commands do not do both at once."""
    (settings.home / "run").mkdir(parents=True, exist_ok=True)
    with (settings.home / "run" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start_all(settings: Settings, services: list[process.Service], report: Report) -> None:
    """Start the services side by side and wait until each is ready; the first error is raised when all have settled."""

    def start(service: process.Service) -> None:
        known = process.running_pid(settings.home, service.name)
        pid = process.start(service, settings.home)
        report(f"{service.name} runs already, pid {pid}" if pid == known else f"{service.name} is up, pid {pid}")

    if not services:
        return
    with ThreadPoolExecutor(len(services)) as pool:
        outcomes = [pool.submit(start, service) for service in services]
    for outcome in outcomes:
        outcome.result()


def start_servers(settings: Settings, report: Report, only: tuple[str, ...] = ()) -> None:
    """Start (or adopt) the data servers; `report` receives one line per step.

    Raises EmbeddedError when a port is taken, a download fails or a server does not come up.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    jars.resolve(settings, report)
    chosen = [service for service in servers.services(settings) if not only or service.name in only]
    with starting(settings):
        start_all(settings, chosen, report)


def stop_servers(settings: Settings) -> None:
    """Stop the data servers, last started first; nothing that they hold is lost."""
    with starting(settings):
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda service: process.stop(service, settings.home), reversed(servers.services(settings))))
