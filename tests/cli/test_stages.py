"""What the doctor says of what was found out: each stage's verdict and the reason, without any server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from weahouse.cli.doctor import print_stages
from weahouse.cli.stages import DOWN, EMPTY, FILLED, FINE, STALE, Facts, Held, Stage, is_well, stages
from weahouse.orchestration.dag_states import DagState
from weahouse.orchestration.hand_runs import DAG_IDS
from weahouse.schemas.datasets import DATASETS
from weahouse.settings import PORTS, Settings

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
SOON = NOW - timedelta(seconds=20)
RAN = DagState(is_paused=False, is_broken=False, last_state="success", ended_at=SOON)
UNRUN = DagState(is_paused=False, is_broken=False, last_state=None, ended_at=None)
WELL = Facts(
    now=NOW,
    feed="both",
    feed_pid=17,
    topic=Held(1000, SOON),
    stream={"state": "running", "lag_records": 3, "last_batch_at": SOON.isoformat()},
    lag={"archive": 3, "observations": 0},
    # What may be empty is.
    tables={
        **dict.fromkeys(FILLED),
        "raw.observations": Held(997, SOON),
        "curated.observations": Held(900, SOON),
        "curated.ingest_units": Held(5, NOW - timedelta(hours=1)),
        "curated.verdicts": Held(890, SOON),
        "gold.stations": Held(55, None),
        "gold.hourly_summaries": Held(70, NOW),
        "gold.daily_summaries": Held(50, NOW),
        "gold.station_features": Held(70, NOW),
        "gold.summary_sources": Held(72, NOW),
        "gold.reconciliation": Held(1, SOON),
    },
    cassandra=Held(450, SOON),
    serves_newest=True,
    dags={**dict.fromkeys(DAG_IDS, RAN), "kafka_replay": UNRUN},
    folders=(),
)


def told(facts: Facts, stage: str) -> tuple[str, str]:
    [found] = [each for each in stages(facts) if each.stage == stage]
    return found.verdict, found.why


def with_table(name: str, held: Held | None) -> Facts:
    return replace(WELL, tables={**WELL.tables, name: held})


def test_a_platform_at_work_is_fine_at_every_stage():
    found = stages(WELL)
    assert {stage.stage: stage.why for stage in found if stage.verdict != FINE} == {}
    assert is_well(found)
    assert [stage.stage for stage in found[:7]] == [
        "feed", "topic", "stream", "raw.observations", "curated.quarantine", "curated.observations", "Cassandra",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "stage", "verdict", "why"),
    [
        (replace(WELL, feed_pid=None), "feed", DOWN, "feed both does not run"),
        (replace(WELL, feed="none", feed_pid=None), "feed", FINE, "nothing is fed, as was asked for"),
        (replace(WELL, topic=Held(0, None)), "topic", EMPTY, "nobody has sent a record"),
        (replace(WELL, topic=Held(9, NOW - timedelta(hours=5))), "topic", STALE, "nothing was appended for 5 h 0 min"),
        (
            replace(WELL, topic=Held(9, NOW - timedelta(days=3)), feed="none", feed_pid=None),
            "topic", FINE, "holds records",
        ),
        (replace(WELL, topic=None, errors={"topic": "Kafka is away"}), "topic", DOWN, "Kafka is away"),
        (replace(WELL, stream={"state": "stopped"}), "stream", DOWN, "`weahouse stream start`"),
        (
            replace(WELL, stream={"state": "failed", "error": "the topic was created again."}),
            "stream", DOWN, "has failed: the topic was created again; `weahouse logs stream`",
        ),
        (
            replace(WELL, stream={"state": "running", "waiting_on": "cassandra"}),
            "stream", STALE, "waits for cassandra",
        ),
        (replace(WELL, stream={"state": "running", "gaps": 2}), "stream", FINE, "2 ranges of offsets were lost"),
        (replace(WELL, stream={}), "stream", DOWN, "did not answer in time"),
        (with_table("raw.observations", None), "raw.observations", EMPTY, "nothing came through the query archive"),
        (
            replace(with_table("raw.observations", None), topic=Held(0, None)),
            "raw.observations", EMPTY, "the topic is empty too",
        ),
        (
            with_table("raw.observations", Held(9, NOW - timedelta(hours=1))),
            "raw.observations", STALE, "3 records wait for the query archive, 59 min behind",
        ),
        (
            with_table("curated.observations", Held(9, NOW - timedelta(hours=1))),
            "curated.observations", FINE, "the query observations keeps it up",
        ),
        (with_table("curated.quarantine", None), "curated.quarantine", FINE, "nothing was unreadable so far"),
        (
            with_table("curated.quarantine", Held(1, NOW - timedelta(hours=1))),
            "curated.quarantine", FINE, "the query archive keeps it up",
        ),
        (with_table("gold.stations", None), "gold.stations", EMPTY, "nobody has registered a station"),
        (with_table("gold.later", None), "gold.later", FINE, "nothing was written to it so far"),
        (
            with_table("curated.ingest_units", Held(5, NOW - timedelta(hours=9))),
            "curated.ingest_units", STALE, "9 h 0 min old: the Dag observation_curation fills it, and has not come",
        ),
        (replace(WELL, serves_newest=False), "Cassandra", STALE, "lacks the newest row of curated.observations"),
        (replace(WELL, cassandra=Held(0, None)), "Cassandra", EMPTY, "which rows of Curated it lacks"),
        (replace(WELL, cassandra=None, errors={"cassandra": "it is away"}), "Cassandra", DOWN, "it is away"),
        (replace(WELL, dags={}, errors={"airflow": "Airflow is away"}), "Airflow", DOWN, "Airflow is away"),
        (replace(WELL, folders=("raw.observations log",)), "folders", STALE, "raw.observations log"),
        (replace(WELL, folders=None), "folders", DOWN, "did not answer in time"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_stage(facts: Facts, stage: str, verdict: str, why: str):
    found = told(facts, stage)
    assert found[0] == verdict
    assert why in found[1]
    assert is_well(stages(facts)) == (verdict == FINE)


@pytest.mark.parametrize(
    ("dag", "verdict", "why"),
    [
        (replace(RAN, is_paused=True), STALE, "it is paused"),
        (replace(UNRUN, is_paused=True), EMPTY, "`weahouse dags run-once`"),
        (UNRUN, FINE, "its time has not come"),
        (replace(UNRUN, is_running=True), FINE, "runs now"),
        (replace(RAN, last_state="failed"), STALE, "its last run failed"),
        (replace(UNRUN, is_broken=True), EMPTY, "its file cannot be read"),
    ],
)
def test_a_dag_that_does_not_do_its_work_is_told(dag: DagState, verdict: str, why: str):
    found = told(replace(WELL, dags={"observation_curation": dag}), "Dag observation_curation")
    assert found[0] == verdict
    assert why in found[1]


def test_a_platform_that_has_just_come_up_is_fine_before_its_dags_have_run():
    filled = [name for name, how in FILLED.items() if how.dag_id]
    tables = {**WELL.tables, **dict.fromkeys(filled)}
    found = {stage.stage: stage for stage in stages(replace(WELL, tables=tables, dags=dict.fromkeys(DAG_IDS, UNRUN)))}
    assert {name: stage.why for name, stage in found.items() if stage.verdict != FINE} == {}
    assert "observation_curation fills it, and has not run yet" in found["curated.ingest_units"].why


def test_a_table_that_a_dag_has_left_empty_is_told():
    verdict, why = told(with_table("gold.daily_summaries", None), "gold.daily_summaries")
    assert (verdict, why) == (EMPTY, "the Dag gold_aggregation fills it, and has not come to it yet: see its runs")


def test_a_backfill_that_failed_is_its_askers_matter():
    facts = replace(WELL, dags={**WELL.dags, "kafka_replay": replace(RAN, last_state="failed")})
    assert told(facts, "Dag kafka_replay") == (FINE, "runs when somebody asks for it")


def test_an_empty_table_tells_of_the_dag_that_would_fill_it():
    paused = replace(UNRUN, is_paused=True)
    facts = replace(with_table("curated.ingest_units", None), dags={"observation_curation": paused})
    assert told(facts, "curated.ingest_units")[1].startswith("the Dag observation_curation fills it, and it is paused")


def test_what_fills_a_table_exists():
    assert set(FILLED) <= {dataset.name for dataset in DATASETS}
    assert {filled.dag_id for filled in FILLED.values() if filled.dag_id} <= set(DAG_IDS)


def test_stages_are_printed_a_line_each(capsys: pytest.CaptureFixture[str]):
    print_stages([Stage("topic", STALE, "see [there]", NOW, "9 records"), Stage("stream", DOWN, "gone")])
    printed = capsys.readouterr().out
    assert "2024-05-01 12:00:00   9 records   stale     see [there]" in printed
    assert "gone" in printed


def doctor(settings: Settings) -> tuple[int, dict[str, tuple[str, str]], float]:
    """Exit code, (verdict, why) by stage, and seconds, of a process of its own."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "weahouse.cli", "doctor", "--json"],
        env=os.environ | settings.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - begun
    document = json.loads(done.stdout)
    assert document["verdict"] == "attention"
    return done.returncode, {each["stage"]: (each["verdict"], each["why"]) for each in document["stages"]}, seconds


# The doctor's own limit is 8 s, and a process starts and ends beside it, on cores that are busy with other work. The
# patience of the servers' clients is a minute.
PATIENCE_S = 30


@contextmanager
def ports_that_never_answer(offset: int) -> Iterator[None]:
    """Everybody is let in, and nobody is answered."""
    with ExitStack() as stack:
        for port in PORTS.values():
            stack.enter_context(socket.create_server(("127.0.0.1", port + offset)))
        yield


def test_servers_that_are_down_are_told_in_seconds(tmp_path: Path):
    code, found, seconds = doctor(Settings(home=tmp_path, port_offset=21_000))
    assert code == 1
    assert {name: verdict for name, (verdict, _) in found.items() if verdict != DOWN} == {}
    assert "Kafka at 127.0.0.1:30092 does not answer" in found["topic"][1]
    assert "HDFS at hdfs://127.0.0.1:29020 does not answer" in found["curated.observations"][1]
    assert seconds < PATIENCE_S


def test_servers_that_hang_are_told_in_seconds_too(tmp_path: Path):
    with ports_that_never_answer(21_000):
        code, found, seconds = doctor(Settings(home=tmp_path, port_offset=21_000))
    assert code == 1
    assert {name: verdict for name, (verdict, _) in found.items() if verdict != DOWN} == {}
    assert seconds < PATIENCE_S
