"""The services of one instance together: started side by side, stopped in reverse, asked how they are."""

from __future__ import annotations

import fcntl
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict

from weahouse.embedded import airflow, health, jars, process, servers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from weahouse.settings import Settings

Report = jars.Report

STREAM, FEED = "stream", "feed"
SERVICES = (*servers.PORTS_OF, *airflow.COMPONENT_OF, STREAM, FEED)


class ServiceState(TypedDict):
    """One service: whether a round trip through it came back, and where it is."""

    healthy: bool
    port: int | None
    pid: int | None


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Held by a command that starts or stops the instance, so that a second one waits for the first."""
    (settings.home / "run").mkdir(parents=True, exist_ok=True)
    with (settings.home / "run" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start_all(settings: Settings, services: list[process.Service], report: Report) -> None:
    """Start the services side by side and wait until each is ready; an error is raised when all have settled."""

    def start(service: process.Service) -> None:
        known = process.running_pid(settings.home, service.name)
        pid = process.start(service, settings.home)
        report(f"{service.name} {'runs already' if pid == known else 'is up'}, pid {pid}")

    if not services:
        return
    with ThreadPoolExecutor(len(services)) as pool:
        outcomes = [pool.submit(start, service) for service in services]
    for outcome in outcomes:
        outcome.result()


def stop_all(settings: Settings, names: Iterable[str]) -> None:
    """Stop the named services side by side."""
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        list(pool.map(lambda name: process.stop(settings.home, name), names))


def start_servers(settings: Settings, report: Report, only: tuple[str, ...] = ()) -> None:
    """Start (or adopt) the data servers, all or only the named; `report` receives one line per step.

    Raises EmbeddedError when a port is taken, a download fails or a server does not come up.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    jars.resolve(settings, report)
    start_all(settings, [s for s in servers.services(settings) if not only or s.name in only], report)


def stop_servers(settings: Settings) -> None:
    """Stop the data servers; nothing that they hold is lost."""
    stop_all(settings, servers.PORTS_OF)


def service_states(settings: Settings, names: Iterable[str] = SERVICES) -> dict[str, ServiceState]:
    """The state of each named service, by round trips that are all under way at once."""
    wanted = list(names)
    healthy = health.healthy(settings, wanted)
    return {
        name: {
            "healthy": name in healthy,
            "port": _port(settings, name),
            "pid": process.running_pid(settings.home, name),
        }
        for name in wanted
    }


def _port(settings: Settings, name: str) -> int | None:
    if name == "airflow-api-server":
        return settings.port("airflow")
    return settings.port(servers.PORTS_OF[name][0]) if name in servers.PORTS_OF else None
