"""The stages of a reading's way and what is wrong with each: pure over what could be found out, no clock, no server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from weahouse.orchestration.dag_states import DagState
from weahouse.orchestration.hand_runs import ORDER, Start

FINE, EMPTY, STALE, DOWN = "fine", "empty", "stale", "down"

# Twice the pace of the rarest of our feeds, the airports' hourly reports.
_FEED_LIMIT = timedelta(hours=2)
# The archive's delay, the longest of the two, and a cold batch on cores that are busy with other work.
_BEHIND_LIMIT = timedelta(minutes=3)
# Ten minutes past the hour the unit's run begins; it may wait half an hour for the stream and be tried again.
_UNIT_LIMIT = timedelta(hours=2)


@dataclass(frozen=True)
class Held:
    """What a store holds: rows (None where they were not counted) and the time of the newest."""

    rows: int | None
    newest_at: datetime | None


@dataclass(frozen=True)
class Facts:
    """What was found out; a missing entry, or None, is what did not answer, and `errors` says why.

    `tables`: rows of each Delta table by name, None where there is no table. `serves_newest`: whether Cassandra has the
    newest row of Curated, None where there is none or it is older than Cassandra keeps. `folders`: those that are, or
    will be, too full.
    """

    now: datetime
    feed: str
    feed_pid: int | None
    topic: Held | None = None
    stream: Mapping[str, Any] = field(default_factory=dict)
    lag: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, Held | None] = field(default_factory=dict)
    cassandra: Held | None = None
    serves_newest: bool | None = None
    dags: Mapping[str, DagState] = field(default_factory=dict)
    folders: tuple[str, ...] | None = None
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """One line of the doctor's: `held` in words, `why` one sentence with what to do where something is wrong."""

    stage: str
    verdict: str
    why: str
    last_at: datetime | None = None
    held: str = ""


@dataclass(frozen=True)
class Filled:
    """How a Delta table is filled: by which query of the stream, or by which Dag.

    `limit`: how old its newest row may be where a Dag fills it. `if_empty`: what it means when it is well and empty;
    how old its newest row is tells nothing then.
    """

    query: str | None = None
    dag_id: str | None = None
    limit: timedelta | None = None
    if_empty: str | None = None


# In the order of a reading's way. A table that is not named here may be empty, and is never stale.
FILLED: dict[str, Filled] = {
    "raw.observations": Filled(query="archive"),
    "curated.quarantine": Filled(query="archive", if_empty="nothing was unreadable so far"),
    "curated.observations": Filled(query="observations"),
    "curated.gaps": Filled(if_empty="no offsets were lost"),
    "curated.ingest_units": Filled(dag_id="observation_curation", limit=_UNIT_LIMIT),
    "curated.verdicts": Filled(dag_id="observation_curation"),
    "curated.station_trust": Filled(if_empty="no test of a single variable was applied so far"),
    "gold.stations": Filled(),
    # How old an hour of Gold may be depends on what was observed; whether it is made is asked of the Dag.
    "gold.hourly_summaries": Filled(dag_id="gold_aggregation"),
    "gold.daily_summaries": Filled(dag_id="gold_aggregation"),
    "gold.station_features": Filled(dag_id="gold_aggregation"),
    "gold.summary_sources": Filled(dag_id="gold_aggregation"),
    "gold.models": Filled(if_empty="no model was promoted so far: training needs weeks of data"),
    "gold.forecasts": Filled(if_empty="no model was promoted so far"),
    "gold.forecast_verification": Filled(if_empty="no forecast has met its observation so far"),
    # A day on which nothing was appended is skipped.
    "gold.reconciliation": Filled(if_empty="no day with records was proved so far"),
    "gold.backfill_runs": Filled(if_empty="nothing was replayed so far"),
}
_BY_HAND = frozenset(run.dag_id for run in ORDER if run.start is Start.NOTHING)


def stages(facts: Facts) -> list[Stage]:
    """Every stage, in the order in which a reading passes them; Cassandra stands behind the table that it serves."""
    return list(_stages(facts))


def _stages(facts: Facts) -> Iterator[Stage]:
    yield _feed(facts)
    yield _topic(facts)
    yield _stream(facts)
    for name in dict.fromkeys([*FILLED, *facts.tables]):
        yield _table(facts, name)
        if name == "curated.observations":
            yield _cassandra(facts)
    yield from _dags(facts)
    yield _folders(facts)


def is_well(found: list[Stage]) -> bool:
    """Whether no stage needs anybody."""
    return all(stage.verdict == FINE for stage in found)


def _feed(facts: Facts) -> Stage:
    if facts.feed == "none":
        return Stage("feed", FINE, "nothing is fed, as was asked for: `weahouse up --feed both` feeds something")
    if facts.feed_pid is None:
        return Stage(
            "feed", DOWN, f"feed {facts.feed} does not run: `weahouse up` starts it, `weahouse logs feed` tells"
        )
    return Stage("feed", FINE, f"{facts.feed}, pid {facts.feed_pid}")


def _topic(facts: Facts) -> Stage:
    name, topic = "topic", facts.topic
    if topic is None:
        return Stage(name, DOWN, _unanswered(facts, name))
    held = f"{topic.rows or 0:,} records"
    if not topic.rows:
        return Stage(name, EMPTY, "nobody has sent a record: `weahouse up`, `ingest` or `simulate` does", None, held)
    age = None if topic.newest_at is None else facts.now - topic.newest_at
    if age is not None and age > _FEED_LIMIT and facts.feed != "none":
        return Stage(
            name, STALE, f"nothing was appended for {_text(age)}: {_feed_reason(facts)}", topic.newest_at, held
        )
    return Stage(name, FINE, "records come" if age and age < _FEED_LIMIT else "holds records", topic.newest_at, held)


def _feed_reason(facts: Facts) -> str:
    if facts.feed_pid is None:
        return "the feed does not run, `weahouse up` starts it"
    return "the feed runs and sends nothing, see `weahouse logs feed`"


_AS_CURATED = "curated.observations is empty too: see there"
_STREAM = {
    "running": (FINE, "runs, and is watched"),
    "unsupervised": (FINE, "runs, and nobody would restart it: un-pause the Dag stream_supervision"),
    "starting": (STALE, "starts; look again in a minute"),
    "restarting": (DOWN, "is gone and is started again: `weahouse logs stream` tells why"),
    "stopped": (DOWN, "was stopped, and stays so: `weahouse stream start`"),
    "failed": (DOWN, "has failed: see `weahouse logs stream`"),
}


def _stream(facts: Facts) -> Stage:
    told = facts.stream
    if told.get("state") is None:
        return Stage("stream", DOWN, _unanswered(facts, "stream"))
    verdict, why = _STREAM[told["state"]]
    if told.get("error"):
        why = f"has failed: {told['error'].rstrip('.')}; `weahouse logs stream` tells more"
    if told.get("waiting_on"):
        verdict, why = STALE, f"waits for {told['waiting_on']}: see that stage, and `weahouse status`"
    if told.get("gaps"):
        why += f"; {told['gaps']} ranges of offsets were lost, see curated.gaps"
    last, lag = told.get("last_batch_at"), told.get("lag_records")
    held = "" if lag is None else f"{lag:,} wait"
    return Stage("stream", verdict, why, datetime.fromisoformat(last) if last else None, held)


def _table(facts: Facts, name: str) -> Stage:
    if name not in facts.tables:
        return Stage(name, DOWN, _unanswered(facts, name))
    held, filled = facts.tables[name], FILLED.get(name, Filled(if_empty="nothing was written to it so far"))
    if held is None or not held.rows:
        if excused := filled.if_empty or _not_yet(facts, filled.dag_id):
            return Stage(name, FINE, excused, None, "0 rows")
        return Stage(name, EMPTY, _why_empty(facts, filled), None, "0 rows")
    rows, newest = f"{held.rows:,} rows", held.newest_at
    late = _why_stale(facts, filled, newest)
    return Stage(name, STALE if late else FINE, late or _fine(filled), newest, rows)


def _fine(filled: Filled) -> str:
    if filled.query:
        return f"the query {filled.query} keeps it up"
    return f"the Dag {filled.dag_id} keeps it up" if filled.dag_id else "holds rows"


def _not_yet(facts: Facts, dag_id: str | None) -> str | None:
    """What excuses a table whose Dag is well and has not had its time; None for any other."""
    dag = facts.dags.get(dag_id or "")
    if dag is None or dag.last_state or _dag_wrong(dag):
        return None
    when = "runs now" if dag.is_running else "has not run yet: its time comes, or `weahouse dags run-once`"
    return f"the Dag {dag_id} fills it, and {when}"


def _why_empty(facts: Facts, filled: Filled) -> str:
    if filled.query:
        if facts.topic is not None and not facts.topic.rows:
            return "the topic is empty too: see there"
        return f"nothing came through the query {filled.query} yet: see the stage stream"
    if filled.dag_id:
        return _dag_reason(facts, filled.dag_id)
    return "nobody has registered a station: `weahouse up` does, or `weahouse stations import`"


def _why_stale(facts: Facts, filled: Filled, newest: datetime | None) -> str | None:
    if filled.query and not filled.if_empty:
        lag, appended = facts.lag.get(filled.query, 0), facts.topic.newest_at if facts.topic else None
        behind = appended - newest if appended and newest else timedelta(0)
        if lag and behind > _BEHIND_LIMIT:
            return f"{lag:,} records wait for the query {filled.query}, {_text(behind)} behind: see the stage stream"
        return None
    if filled.dag_id and filled.limit and newest and facts.now - newest > filled.limit:
        return f"{_text(facts.now - newest)} old: {_dag_reason(facts, filled.dag_id)}"
    return None


def _cassandra(facts: Facts) -> Stage:
    name, served = "Cassandra", facts.cassandra
    if served is None:
        return Stage(name, DOWN, _unanswered(facts, "cassandra"))
    held = f"{served.rows or 0:,} latest values"
    if facts.serves_newest is False:
        why = "it lacks the newest row of curated.observations: `weahouse reconcile` tells what else"
        return Stage(name, STALE, why, served.newest_at, held)
    if not served.rows:
        curated = facts.tables.get("curated.observations")
        why = "`weahouse reconcile` tells which rows of Curated it lacks" if curated and curated.rows else _AS_CURATED
        return Stage(name, EMPTY, why, None, held)
    return Stage(name, FINE, "serves what Curated holds", served.newest_at, held)


def _dags(facts: Facts) -> Iterator[Stage]:
    if not facts.dags:
        yield Stage("Airflow", DOWN, _unanswered(facts, "airflow"))
    for dag_id, dag in facts.dags.items():
        wrong = _dag_wrong(dag, dag_id in _BY_HAND)
        verdict = FINE if wrong is None else EMPTY if dag.last_state is None else STALE
        told = wrong or _well(dag, dag_id in _BY_HAND)
        yield Stage(f"Dag {dag_id}", verdict, told, dag.ended_at, dag.last_state or "no run")


def _well(dag: DagState, by_hand: bool) -> str:
    if dag.is_running:
        return "runs now"
    if by_hand:
        return "runs when somebody asks for it"
    return "its schedule holds" if dag.last_state else "has not run yet: its time has not come"


def _dag_wrong(dag: DagState, by_hand: bool = False) -> str | None:
    """What somebody must do something about; how a run by hand ended is known to whoever asked for it."""
    if dag.is_broken:
        return "its file cannot be read: Airflow's UI shows the error"
    if dag.last_state == "failed" and not by_hand:
        return "its last run failed: the log of the failed task tells why, and the Dag's docs what to do"
    return "it is paused: un-pause it in Airflow's UI, or `weahouse dags run-once`" if dag.is_paused else None


def _dag_reason(facts: Facts, dag_id: str) -> str:
    """Why what a Dag fills is not filled, as far as the Dag tells."""
    dag = facts.dags.get(dag_id)
    if dag is None:
        return f"Airflow does not tell of the Dag {dag_id}: see there"
    well = "runs now" if dag.is_running else "has not come to it yet: see its runs"
    return f"the Dag {dag_id} fills it, and {_dag_wrong(dag) or well}"


def _folders(facts: Facts) -> Stage:
    if facts.folders is None:
        return Stage("folders", DOWN, _unanswered(facts, "folders"))
    if facts.folders:
        return Stage("folders", STALE, f"too full, or will be: {', '.join(facts.folders)}; `weahouse doctor --folders`")
    return Stage("folders", FINE, "all within their bounds: `weahouse doctor --folders`")


def _unanswered(facts: Facts, what: str) -> str:
    return facts.errors.get(what) or facts.errors.get("lake") or "it did not answer in time: see `weahouse status`"


def _text(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    hours, days = minutes // 60, minutes // (24 * 60)
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
