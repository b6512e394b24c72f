"""Operators of the control plane."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators import hitl
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from weahouse.io.hdfs import Hdfs
from weahouse.io.small_tables import read_rows
from weahouse.orchestration import driver, ingest_hours
from weahouse.orchestration.proof_range import first_unproved
from weahouse.orchestration.topic_offsets import TopicOffsets
from weahouse.schemas.datasets import CURATED_INGEST_UNITS, RAW_OBSERVATIONS
from weahouse.schemas.gold import GOLD_RECONCILIATION
from weahouse.schemas.render import path
from weahouse.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

__all__ = [
    "ApprovalOperator",
    "CheckParamsOperator",
    "PlanProofOperator",
    "PlanRangeOperator",
    "PlanUnitOperator",
    "StartStreamOperator",
    "TouchedUnitsOperator",
    "reject_unknown_conf",
]

_DAY = timedelta(days=1)
_APPROVED_WITHIN = timedelta(days=1)
# By how much the broker's clock may be behind: until then it may append to an hour that is over by this one.
_CLOCKS_APART = timedelta(minutes=1)


class ApprovalOperator(hitl.ApprovalOperator):
    """Asks a person, who has a day to answer; Airflow's own limit is a little later, so that it never cuts that off."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("response_timeout", _APPROVED_WITHIN)
        kwargs.setdefault("execution_timeout", _APPROVED_WITHIN + timedelta(minutes=10))
        super().__init__(**kwargs)


class StartStreamOperator(BaseOperator):
    """Starts the streaming driver detached, or adopts the one that lives; with `stop` ends it gracefully instead.

    A stream that was stopped stays stopped. As a run's first task it refuses parameters that the Dag does not have,
    which Airflow accepts in silence. Returns {"action", "pid", "reason"}.
    """

    template_fields: Sequence[str] = ("stop",)

    def __init__(self, *, stop: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stop = stop

    def execute(self, context: Context) -> driver.Document:
        """Start, adopt or stop; raises OSError, and is retried, while HDFS does not answer."""
        reject_unknown_conf(context)
        outcome = driver.stop(settings()) if self.stop is True else driver.start_or_adopt(settings())
        self.log.info("%s: pid %s, %s", outcome["action"], outcome["pid"], outcome["reason"])
        return outcome


class CheckParamsOperator(BaseOperator):
    """The first task of a Dag whose parameters need no more than their own schemas: it refuses unknown ones."""

    def execute(self, context: Context) -> None:
        """Fail at once, or do nothing."""
        reject_unknown_conf(context)


class PlanUnitOperator(BaseOperator):
    """Decides which hour of append time a run curates, and up to which offsets the stream must have come before.

    Returns {"ingest_hour", "begin", "end", "until"}, the latter three offsets by partition: what Kafka holds of the
    time before the hour ends, and where the unit of an hour that is open ends; empty for one that is over. The hour is
    `ingest_hour` where it is given, else the run's partition, else the last one that is over. Raises
    AirflowFailException for an hour that cannot be meant.
    """

    template_fields: Sequence[str] = ("ingest_hour",)

    def __init__(self, *, ingest_hour: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ingest_hour = ingest_hour

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask Kafka; raises KafkaException, and is retried, while it does not answer."""
        reject_unknown_conf(context)
        key = getattr(context["dag_run"], "partition_key", None)
        try:
            chosen = ingest_hours.choose(self.ingest_hour, key, datetime.now(UTC))
        except ingest_hours.IngestHourError as error:
            raise AirflowFailException(str(error)) from None
        over_at = ingest_hours.begin_of(chosen) + ingest_hours.HOUR
        offsets = TopicOffsets()
        end = _as_json(offsets.since(over_at))
        self.log.info("hour %s ends before the offsets %s", chosen, end)
        is_open = datetime.now(UTC) < over_at + _CLOCKS_APART
        return {
            "ingest_hour": chosen,
            "begin": _as_json(offsets.first()),
            "end": end,
            "until": end if is_open else {},
        }


class TouchedUnitsOperator(BaseOperator):
    """Decides which units of curation a run works through: those that woke it, or those that a person named.

    Returns their hours, separated by commas: several hours may have been published since the run before. Raises
    AirflowFailException where there is none, or one cannot be meant.
    """

    def execute(self, context: Context) -> str:
        """Read the events, or the parameter `ingest_hours`."""
        reject_unknown_conf(context)
        events = [event for told in context["triggering_asset_events"].values() for event in told]
        hours = context["params"]["ingest_hours"] or [event.extra["ingest_hour"] for event in events]
        if not hours:
            raise AirflowFailException("no curated hour woke this run: name some in ingest_hours, like 2024-05-01T13")
        try:
            return ",".join(sorted({ingest_hours.checked(hour) for hour in hours}))
        except ingest_hours.IngestHourError as error:
            raise AirflowFailException(str(error)) from None


class PlanRangeOperator(BaseOperator):
    """Decides which range of times a run works through: that of its parameters, else the `days` before the present one.

    Returns {"from", "to"}, RFC 3339. Raises AirflowFailException for a range that cannot be meant.
    """

    def __init__(self, *, days: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.days = days

    def execute(self, context: Context) -> dict[str, str]:
        """Read `from` and `to`."""
        reject_unknown_conf(context)
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        given = [context["params"][name] for name in ("from", "to")]
        try:
            begin, end = (
                (datetime.fromisoformat(text) for text in given) if any(given) else (today - self.days * _DAY, today)
            )
        except (TypeError, ValueError):
            raise AirflowFailException(
                f"from {given[0]!r} and to {given[1]!r} must both be times with a zone, like 2024-05-01T12:00:00Z"
            ) from None
        if begin.tzinfo is None or end.tzinfo is None or begin >= end:
            raise AirflowFailException(f"from {given[0]!r} must lie before to {given[1]!r}, both with a zone")
        return {"from": begin.isoformat(), "to": end.isoformat()}


class PlanProofOperator(PlanRangeOperator):
    """Decides which range a run proves, and up to which offsets the stream must have come before.

    Returns {"from", "to", "begin", "end"}: what PlanRangeOperator does, and offsets by partition. Where nobody has
    named a range, it begins with the first curated unit that no proof has looked at as it is now: nights may have
    passed while the platform slept, and units may have been curated again. A day on which nothing was appended, with no
    such unit before it, is skipped.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask Kafka and the ledgers too; raises KafkaException, LakeError or OSError, and is retried then."""
        chosen = super().execute(context)
        begin = datetime.fromisoformat(chosen["from"])
        if not any(context["params"][name] for name in ("from", "to")):
            units, proofs = (read_rows(settings(), table) for table in (CURATED_INGEST_UNITS, GOLD_RECONCILIATION))
            first = first_unproved(units, proofs, begin)
            if first is None and not _was_appended_on(begin):
                raise AirflowSkipException(f"nothing was appended on {begin:%Y-%m-%d}: there is nothing to prove")
            chosen["from"] = (first or begin).isoformat()
        offsets = TopicOffsets()
        end = offsets.since(datetime.fromisoformat(chosen["to"]))
        return {**chosen, "begin": _as_json(offsets.first()), "end": _as_json(end)}


def _was_appended_on(day: datetime) -> bool:
    """Whether Kafka or Raw holds a record of the day; a topic that was created again knows none of the one before."""
    offsets = TopicOffsets()
    if offsets.since(day) != offsets.since(day + _DAY):
        return True
    instance = settings()
    hdfs, folder = Hdfs(instance), path(RAW_OBSERVATIONS, instance.hdfs_root)
    hours = ingest_hours.hours_between(day, day + _DAY - ingest_hours.HOUR)
    return any(hdfs.exists(f"{folder}/ingest_hour={hour}") for hour in hours)


def _as_json(offsets: dict[int, int]) -> dict[str, int]:
    return {str(partition): offset for partition, offset in offsets.items()}


def reject_unknown_conf(context: Context) -> None:
    """Fail, without a retry, a run whose configuration holds a key that is no parameter of its Dag."""
    unknown = sorted(set(context["dag_run"].conf or {}) - set(context["dag"].params))
    if unknown:
        known = ", ".join(sorted(context["dag"].params))
        raise AirflowFailException(f"unknown parameters {', '.join(unknown)}: this Dag knows {known}")
