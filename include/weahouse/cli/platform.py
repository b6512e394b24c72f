"""`weahouse up`, `down`, `status`, `logs` and `clean`: the life of one instance."""

from __future__ import annotations

import json
import shutil
import sys
import time
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from weahouse.cli.errors import UserError
from weahouse.settings import Settings, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

UNHEALTHY = 3


class Feed(StrEnum):
    """What `up` lets flow."""

    real = "real"
    simulated = "simulated"
    both = "both"
    none = "none"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (up, down, status, logs, clean):
        app.command()(command)


def up(
    feed: Annotated[
        Feed | None, typer.Option(help="What is fed; remembered, and both for a new instance.", show_default=False)
    ] = None,
) -> None:
    """Start the platform, or what of it does not run, and return when observations flow.

    The first time it also downloads the servers' jars and creates the topic, tables, zones and registry. Each Dag is
    switched on once, at the end; what you pause in Airflow stays paused.
    """
    from weahouse.cli import bring_up, state
    from weahouse.embedded import instance

    instance_settings, console = settings(), Console()
    bring_up.check_home(instance_settings)
    with _foreseen(), instance.alone(instance_settings):
        chosen = feed.value if feed else state.remembered_feed(instance_settings)
        for step in bring_up.steps(chosen):
            with _shown(console, step.title) as report:
                step.run(instance_settings, report)
    document = _settled(instance_settings)
    _print_status(console, instance_settings, document)
    if not state.is_healthy(document):
        raise typer.Exit(UNHEALTHY)


def down() -> None:
    """Stop every process of the instance; what it holds stays in its home."""
    from weahouse.embedded import instance

    console = Console()
    with _foreseen(), instance.alone(settings()):
        _take_down(settings(), console)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout and nothing else.")] = False,
) -> None:
    """Ask every service by a round trip; exit code 0 when all is well, 3 when it is not."""
    from weahouse.cli import state

    document = state.collect(settings())
    if as_json:
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        _print_status(Console(), settings(), document)
    if not state.is_healthy(document):
        raise typer.Exit(UNHEALTHY)


def logs(
    service: Annotated[str, typer.Argument(help="A name from `weahouse status`.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as the log grows.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
) -> None:
    """Show the end of a service's log."""
    from weahouse.embedded.instance import SERVICES
    from weahouse.embedded.process import log_file, log_tail

    if service not in SERVICES:
        raise UserError(f"there is no service {service!r}: choose one of {', '.join(SERVICES)}")
    path = log_file(settings().home, service)
    if not path.exists():
        raise UserError(f"{service} has no log yet ({path}): start it with `weahouse up`")
    tail = log_tail(settings().home, service, lines)
    if tail:
        sys.stdout.write(tail + "\n")
    if follow:
        with path.open(errors="replace") as log:
            log.seek(0, 2)
            while True:
                sys.stdout.write(log.readline() or _pause())
                sys.stdout.flush()


def clean(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop the instance and delete its home with all data in it."""
    from weahouse.cli import bring_up
    from weahouse.embedded import instance

    home = settings().home
    if not home.exists():
        Console().print(f"{home} does not exist: nothing to clean", highlight=False)
        return
    bring_up.check_home(settings())
    if not yes:
        typer.confirm(f"Delete {home} with all data in it?", abort=True)
    with _foreseen(), instance.alone(settings()):
        _take_down(settings(), Console())
        shutil.rmtree(home)


def _take_down(settings: Settings, console: Console) -> None:
    """Airflow goes before the stream, or its supervisor would start the stream again."""
    from weahouse.embedded import airflow, instance, process
    from weahouse.orchestration import driver

    with _shown(console, "Feed"):
        process.stop(settings.home, instance.FEED)
    with _shown(console, "Airflow"):
        instance.stop_all(settings, airflow.COMPONENT_OF)
    with _shown(console, "Stream, after its current batch"):
        if driver.live_pid(settings) is not None:
            driver.stop(settings, keep_desired=True)
        # What a driver that died left behind.
        process.stop(settings.home, instance.STREAM)
    with _shown(console, "Kafka, Cassandra, HDFS and Postgres"):
        instance.stop_servers(settings)


@contextmanager
def _foreseen() -> Iterator[None]:
    """Turn what may go wrong with a server into the sentence that it already is."""
    from weahouse.embedded.process import EmbeddedError
    from weahouse.io.cassandra import CassandraError
    from weahouse.io.kafka import KafkaError, TopicMismatchError
    from weahouse.io.lake import LakeError
    from weahouse.orchestration.rest import AirflowError

    try:
        yield
    except (EmbeddedError, CassandraError, KafkaError, TopicMismatchError, LakeError, AirflowError) as error:
        raise UserError(escape(str(error))) from None


@contextmanager
def _shown(console: Console, title: str) -> Iterator[Any]:
    """A spinner while a step runs (plain lines where there is no terminal), then how long it took."""
    begun = time.monotonic()
    if not console.is_terminal:
        console.print(f"  {title} …", highlight=False)

    def report(line: str) -> None:
        console.print(f"    {line}", style="dim", highlight=False, markup=False)

    with console.status(title):
        yield report
    console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - begun:.1f} s[/]", highlight=False)


def _settled(settings: Settings) -> dict[str, Any]:
    """The state after a start: what has just come up on busy cores may need a second look."""
    from weahouse.cli import state

    for _ in range(5):
        document = state.collect(settings)
        if state.is_healthy(document):
            break
    return document


def _print_status(console: Console, settings: Settings, document: dict[str, Any]) -> None:
    from weahouse.embedded.airflow import PASSWORDS
    from weahouse.embedded.secrets import secret_file

    console.print(_services_table(document["services"]))
    for title in ("stream", "counts"):
        facts = "  ".join(f"{name} {_shown_value(name, value)}" for name, value in document[title].items())
        console.print(f"[bold]{title}[/]  {facts}", highlight=False, soft_wrap=True)
    console.print(
        f"[bold]Airflow[/]  {settings.airflow}  user admin, password in {secret_file(settings, PASSWORDS)}",
        highlight=False,
        soft_wrap=True,
    )


def _services_table(services: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column, justify in (("service", "left"), ("port", "right"), ("pid", "right"), ("health", "left")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for name, service in services.items():
        health = "[green]healthy[/]" if service["healthy"] else "[red]not healthy[/]"
        table.add_row(name, str(service["port"] or "-"), str(service["pid"] or "-"), health)
    return table


def _shown_value(name: str, value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and name != "pid" else str(value)


def _pause() -> str:
    time.sleep(0.3)
    return ""
