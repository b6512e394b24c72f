"""What `weahouse doctor` finds out: every store and service asked at once, none of them waited for beyond a limit."""

from __future__ import annotations

import time
from concurrent.futures import Future
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from weahouse.cli.stages import Facts, Held
from weahouse.cli.state import ask, remembered_feed

if TYPE_CHECKING:
    from weahouse.orchestration.dag_states import DagState
    from weahouse.schemas.kinds import Dataset
    from weahouse.settings import Settings
    from weahouse.streaming.bounds import Figure

# On cores that are busy with other work a Delta table has taken 5 s; who asks what is wrong is told nothing by haste.
LIMIT_S = 8.0
# Curated and Cassandra are written side by side: what one has, the other may have a moment later.
_LOOKS, _BETWEEN_LOOKS_S = 3, 0.7
# What tells how new a row is; the first of them that a table has.
_TIMES = (
    "timestamp",
    "ingested_at",
    "ingest_hour",
    "window_start",
    "issued_at",
    "observed_date",
    "reconciled_at",
    "started_at",
    "registered_at",
)
_HOUR = timedelta(hours=1)


def gather(settings: Settings) -> Facts:
    """What can be found out within the limit; the rest is missing, with its error."""
    from weahouse.embedded.instance import FEED
    from weahouse.embedded.process import running_pid
    from weahouse.schemas.datasets import DATASETS

    questions = {
        "topic": ask(lambda: _topic(settings)),
        "stream": ask(lambda: _stream(settings)),
        "lag": ask(lambda: _lag(settings)),
        "cassandra": ask(lambda: _cassandra(settings)),
        "serves_newest": ask(lambda: _serves_newest(settings)),
        "airflow": ask(lambda: _dags(settings)),
        "folders": ask(lambda: too_full(settings)),
        **{dataset.name: _ask_table(settings, dataset) for dataset in DATASETS},
    }
    found, errors = settled(questions, time.monotonic() + LIMIT_S)
    return Facts(
        now=datetime.now(UTC),
        feed=remembered_feed(settings),
        feed_pid=running_pid(settings.home, FEED),
        topic=found.get("topic"),
        stream=found.get("stream", {}),
        lag=found.get("lag", {}),
        tables={dataset.name: found[dataset.name] for dataset in DATASETS if dataset.name in found},
        cassandra=found.get("cassandra"),
        serves_newest=found.get("serves_newest"),
        dags=found.get("airflow", {}),
        folders=found.get("folders"),
        errors=errors,
    )


def settled(questions: dict[str, Future[Any]], deadline: float) -> tuple[dict[str, Any], dict[str, str]]:
    """The answers that came before the deadline, and what was wrong with the others."""
    found: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, question in questions.items():
        try:
            found[name] = question.result(timeout=max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            errors[name] = f"no answer within {LIMIT_S:g} s: see `weahouse status`"
        # Each client has errors of its own; ours are sentences.
        except Exception as error:
            errors[name] = str(error).splitlines()[0] if str(error) else type(error).__name__
    return found, errors


def folders(settings: Settings) -> list[Figure]:
    """Every folder that grows with the stream. Raises OSError when HDFS does not answer."""
    from weahouse.io.hdfs import Hdfs
    from weahouse.streaming.bounds import figures

    return [*figures(settings, Hdfs(settings)), *_logs(settings)]


def too_full(settings: Settings) -> tuple[str, ...]:
    """The folders among them that need attention."""
    try:
        return tuple(figure.what for figure in folders(settings) if figure.needs_attention)
    except OSError:
        raise OSError(_without_hdfs(settings)) from None


def _logs(settings: Settings) -> list[Figure]:
    """The largest local log; one beyond the limit is put aside at its service's next start."""
    from weahouse.embedded.process import LOG_LIMIT_BYTES
    from weahouse.streaming.bounds import Figure

    sizes = [file.stat().st_size for file in (settings.home / "logs").glob("*.log")]
    return [Figure("local logs, largest", max(sizes), None, LOG_LIMIT_BYTES, "bytes", sum(sizes))] if sizes else []


def _topic(settings: Settings) -> Held:
    from weahouse.io.kafka import end_offsets, newest_append

    return Held(sum(end_offsets(settings).values()), newest_append(settings))


def _stream(settings: Settings) -> dict[str, Any]:
    from weahouse.orchestration.status import read_progress, stream_status

    try:
        progress = read_progress(settings)
    except OSError:
        # A word for the stream without its documents would only be a guess.
        raise OSError(_without_hdfs(settings)) from None
    waiting = [document["waiting_on"] for document in progress.values() if document.get("waiting_on")]
    return {**stream_status(settings), "waiting_on": waiting[0] if waiting else None}


def _lag(settings: Settings) -> dict[str, int]:
    from weahouse.io.kafka import begin_offsets, end_offsets
    from weahouse.orchestration.status import lag_by_query, read_progress

    return lag_by_query(read_progress(settings), begin_offsets(settings), end_offsets(settings))


def _ask_table(settings: Settings, dataset: Dataset) -> Future[Held | None]:
    return ask(lambda: _table(settings, dataset))


def _table(settings: Settings, dataset: Dataset) -> Held | None:
    """Rows and newest time of a table from the statistics of its log; None where there is none yet."""
    import pyarrow.compute as pc

    from weahouse.io.lake import add_actions, open_table

    table = open_table(settings, dataset)
    if table is None:
        return None
    files = add_actions(table)
    column = next((name for name in _TIMES if name in dataset.columns), None)
    # A column that folders are named by has one value a folder, and no statistics.
    named = next((name for name in (f"partition.{column}", f"max.{column}") if name in files.column_names), None)
    newest = pc.max(files[named]).as_py() if named else None
    return Held(pc.sum(files["num_records"]).as_py(), _as_time(newest))


def _as_time(value: object) -> datetime | None:
    """A time, a day's begin, or an hour's end where hours are names; never later than now."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, str):
        from weahouse.orchestration.ingest_hours import begin_of

        return min(begin_of(value) + _HOUR, datetime.now(UTC))
    return None


def _cassandra(settings: Settings) -> Held:
    from weahouse.io.cassandra import rows
    from weahouse.io.variable_rows import SELECT_LATEST, latest_in

    appended_at = [told["ingested_at"] for row in rows(settings, SELECT_LATEST) for told in latest_in(row)]
    return Held(len(appended_at), _as_time(max(appended_at, default=None)))


def _serves_newest(settings: Settings) -> bool | None:
    """Whether Cassandra has the newest row of Curated; None where there is none, or it is kept no longer."""
    from weahouse.schemas.datasets import CURATED_OBSERVATIONS

    held = _table(settings, CURATED_OBSERVATIONS)
    if held is None or held.newest_at is None or _is_expired(settings, held.newest_at):
        return None
    for _ in range(_LOOKS):
        if _is_served(settings, held.newest_at):
            return True
        time.sleep(_BETWEEN_LOOKS_S)
    return False


def _is_expired(settings: Settings, ingested_at: datetime) -> bool:
    days = settings.serving_retention_days
    return days > 0 and ingested_at < datetime.now(UTC) - timedelta(days=days)


def _is_served(settings: Settings, ingested_at: datetime) -> bool:
    from weahouse.io import cassandra, lake
    from weahouse.schemas.datasets import CURATED_OBSERVATIONS
    from weahouse.schemas.serving_tables import OBSERVATIONS_BY_STATION

    newest = lake.query(
        settings,
        f"SELECT station_id, observed_date, observed_at FROM {CURATED_OBSERVATIONS.name} "
        f"WHERE ingested_at >= TIMESTAMP '{ingested_at.isoformat()}' LIMIT 1",
    ).to_pylist()
    key = "station_id = ? AND day = ? AND observed_at = ?"
    asked = [tuple(row.values()) for row in newest]
    cql = f"SELECT station_id FROM {OBSERVATIONS_BY_STATION.name} WHERE {key}"
    return all(any(True for _ in cassandra.rows(settings, cql, parameters)) for parameters in asked)


def _dags(settings: Settings) -> dict[str, DagState]:
    from weahouse.orchestration.dag_states import dag_states
    from weahouse.orchestration.hand_runs import DAG_IDS
    from weahouse.orchestration.status import SUPERVISOR

    return dag_states(settings, [SUPERVISOR, *DAG_IDS], timeout=LIMIT_S)


def _without_hdfs(settings: Settings) -> str:
    return f"HDFS at {settings.hdfs} does not answer: see `weahouse status`, start it with `weahouse up`"
