"""`weahouse stream rebuild`: a new checkpoint, without loss and without doubles."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from weahouse.cli.errors import UserError
from weahouse.cli.spark_app import run_app
from weahouse.schemas.datasets import QUERIES
from weahouse.settings import Settings, settings

if TYPE_CHECKING:
    from weahouse.streaming.rebuild import Plan

_APP = "recover_observations.py"


def rebuild(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the plan as one JSON object and nothing else.")
    ] = False,
) -> None:
    """Give the stream a new checkpoint: the way out when the topic was replaced, or the checkpoint is lost or too old.

    Both queries then begin where Raw ends. What Raw holds and Curated does not is merged first; what is lost is written
    to `curated.gaps`; the old checkpoints are moved aside. The next start goes on from there.
    """
    from weahouse.embedded.process import EmbeddedError
    from weahouse.io.hdfs import Hdfs
    from weahouse.io.kafka import KafkaError, TopicMismatchError, ensure_topic
    from weahouse.io.lake import LakeError
    from weahouse.orchestration import driver
    from weahouse.streaming.rebuild import RebuildError, as_document, carry_out, make_plan

    instance = settings()
    if as_json and not dry_run and not yes:
        raise UserError("--json asks no questions: add --dry-run or --yes")
    try:
        with driver.kept_away(instance) as pid:
            if pid is not None:
                raise UserError(f"driver {pid} runs: end it with `weahouse stream stop` first")
            hdfs = Hdfs(instance)
            if not dry_run:
                ensure_topic(instance)
            plan = make_plan(instance, hdfs)
            if as_json:
                typer.echo(json.dumps(as_document(plan)))
            else:
                _print(plan)
            if dry_run:
                return
            if not yes:
                typer.confirm("Rebuild the stream so?", abort=True)
            _recover(instance, plan)
            carry_out(instance, hdfs, plan)
    except (KafkaError, TopicMismatchError, LakeError, RebuildError, EmbeddedError) as error:
        raise UserError(str(error)) from None
    except OSError as error:
        raise UserError(f"HDFS at {instance.hdfs} does not answer ({error}): start it with `weahouse up`") from None
    if not as_json:
        typer.echo("rebuilt: `weahouse stream start` goes on, and so does the supervisor unless the stream is stopped")


def _recover(instance: Settings, plan: Plan) -> None:
    if not plan.recover:
        return
    spans = json.dumps([asdict(span) for span in plan.recover])
    with Console(stderr=True).status("merging from Raw in Spark"):
        code, counts = run_app(instance, _APP, spans, log_name="rebuild")
    if code:
        raise UserError(f"the recovery ended with {code}: see {instance.home / 'logs' / 'rebuild.log'}")
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    Console(stderr=True).print(f"from Raw: {told}", highlight=False)


def _print(plan: Plan) -> None:
    out = Console()
    names = " and ".join(QUERIES)
    made = "a topic that was created again" if plan.is_recreated else "the same topic as before"
    out.print(f"Topic {plan.topic}, id {plan.topic_id}: {made}.", highlight=False, soft_wrap=True)
    table = Table("partition", f"{names} start at", "merged from Raw first", "lost", box=None)
    recover = {span.partition: f"{span.start} to {span.end - 1}" for span in plan.recover}
    lost: dict[int, list[str]] = {}
    for gap in plan.gaps:
        end = "its unknown end" if gap["to_offset"] is None else str(gap["to_offset"] - 1)
        lost.setdefault(gap["partition"], []).append(f"{gap['from_offset']} to {end} ({gap['cause']})")
    for partition in sorted({*plan.starting_offsets, *recover, *lost}):
        start = str(plan.starting_offsets.get(partition, "-"))
        table.add_row(str(partition), start, recover.get(partition, "-"), "; ".join(lost.get(partition, ["-"])))
    out.print(table)
    for old, new in plan.aside:
        out.print(f"{old} is moved to {new}", highlight=False, soft_wrap=True)
