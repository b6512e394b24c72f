"""What is measured, what it has to reach, and what is measured and published together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One name of the bench; `ratio` is to the baseline of the same run, `at_most` limits the median."""

    name: str
    unit: str
    meaning: str
    baseline: str | None = None
    least_ratio: float | None = None
    at_most: float | None = None
    aim: str = ""


@dataclass(frozen=True)
class Section:
    """Measures of one run side by side; `notes` tell how, with the sizes `records`, `warm_up` and `runs` in braces."""

    name: str
    title: str
    measures: tuple[Measure, ...]
    notes: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(measure.name for measure in self.measures)


_EVEN = "500 stations, one reading a minute"
STREAM = Section(
    "stream",
    "The stream",
    (
        Measure("stream.parse_only", "records/s", f"the stream's own parse expression to nowhere; {_EVEN}"),
        Measure(
            "stream.whole",
            "records/s",
            f"the whole stream until every sink holds every record; {_EVEN}",
            "stream.parse_only",
            0.15,
            aim="ratio 0.25",
        ),
        Measure(
            "stream.hot_station", "records/s", "the same with 90 % of the records from one station", "stream.whole", 0.5
        ),
        Measure("stream.many_stations", "records/s", "the same with 100,000 stations", "stream.whole", 0.5),
    ),
    "The even load is {records:,} records after {warm_up:,} that warm the stream up; the other two loads have half as\n"
    "many. A run counts only if `reconcile` finds every record once.",
)
SINK = Section(
    "sink",
    "Writing Cassandra",
    (
        Measure(
            "sink.driver_alone",
            "rows/s",
            "the fastest driver without Spark: unlogged batches of one partition, from prepared tuples",
        ),
        Measure(
            "sink.cassandra",
            "rows/s",
            "the stream's way of writing the same rows to the same table, in full batches",
            "sink.driver_alone",
            0.6,
            aim="50,000 rows/s",
        ),
    ),
    "Rows are ready, and the clock runs while they are written.",
)
LIVE = Section(
    "live",
    "Freshness, reads and recovery",
    (
        Measure(
            "e2e.cassandra.p50", "s", "from the broker's append to readable in Cassandra, 1,000 records/s", at_most=2
        ),
        Measure("e2e.cassandra.p99", "s", "the same, 99 % of the records", at_most=5),
        Measure("e2e.curated.p50", "s", "from the broker's append to a commit of the Delta table, 1,000 records/s"),
        Measure("e2e.curated.p99", "s", "the same, 99 % of the records"),
        Measure("recovery", "s", "from kill -9 of the driver to the next batch's commit, 1,000 records/s", at_most=45),
        Measure("read.latest.p50", "ms", "the newest values of one region; the stream waits for records"),
        Measure("read.latest.p99", "ms", "the same, 99 % of the reads"),
        Measure("read.day.p50", "ms", "a day of one-minute data of one station; the stream waits for records"),
        Measure("read.day.p99", "ms", "the same, 99 % of the reads", at_most=25),
        Measure("read.day.loaded.p99", "ms", "the same while the stream takes 1,000 records/s", at_most=50),
    ),
    """\
- Latencies are told from the broker's append time to the moment at which a look, every 50 ms, finds the record. In
  Cassandra that is a sample of four stations; in Curated it is every record of each commit.
- `recovery` has a look each second whether a driver lives. `stream_supervision` has one every three seconds, and
  Airflow then needs some to start a task: that is not in it.
- They count only if `reconcile` finds every record once.""",
)
OFFLINE = Section(
    "offline",
    "Curation and recompute beside DuckDB",
    (
        Measure("curation.duckdb", "rows/s", "parsing, levels 1 to 3 and parity of one unit, in DuckDB"),
        Measure(
            "curation", "rows/s", "curation of the same unit, from Raw to its row of the ledger", "curation.duckdb"
        ),
        Measure("recompute.duckdb", "rows/s", "parsing, merging and levels 1 to 3 under other rules, in DuckDB"),
        Measure(
            "recompute", "rows/s", "recompute of Curated of the same range under the same rules", "recompute.duckdb"
        ),
    ),
    """\
Rows are records of Raw: 500 stations that report once a minute, with faults, repeats and broken JSON among them.
`curation` and `recompute` are the applications' own functions in a session that is warm, on HDFS and Cassandra; DuckDB
runs in one process, on local copies of the very Parquet files of the same Delta versions, with as many threads as there
are cores, and its SQL is rendered from the same rules file.

- *The same*: JSON is parsed, the newest record of a key found, level 1 judged with the registry's latitudes; rows are
  compared with Curated's by a curation, and merged with them and written by a recompute; steps, persistence, spikes,
  buddies, what neighbours and fronts explain, and the flags of all levels, written as Parquet. A run counts only if
  both give each row the same flags and masks at each level.
- *Left out of DuckDB*: what makes files a table (Delta's commits, leases and fences, the comparison with the verdicts
  that are held, HDFS), station trust, the ledgers, reasons for what is unreadable other than that it is no JSON; of a
  recompute also Cassandra with its panes, and that it goes chunk by chunk beside the stream.""",
)
DAG = Section(
    "dag",
    "From a trigger to work",
    (
        Measure(
            "dag.trigger_to_work",
            "s",
            "from the REST trigger of `gold_aggregation` to the first job of its Spark application",
        ),
    ),
    """\
Airflow's four processes run beside the servers. An hour of 500 stations has been curated, and each run makes its Gold
anew. [What was tried to make it shorter](decisions/0042-what-a-trigger-waits-for.md).""",
)
SECTIONS = (STREAM, SINK, LIVE, OFFLINE, DAG)
MEASURES = tuple(measure for section in SECTIONS for measure in section.measures)
