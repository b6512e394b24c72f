"""Words of the ledgers: what Airflow's Dags write down of their own work."""

from __future__ import annotations

from weahouse.schemas.kinds import Field

UNIT: dict[str, Field] = {
    "offsets": Field("string", "JSON: by Kafka partition the first offset of the unit, and the one after its last"),
    "records": Field("bigint", "Kafka records of the unit, all of which Raw holds"),
    "quarantined": Field("bigint", "Records among them that cannot be read as an observation"),
    "readings": Field("bigint", "Stations and times that the others tell of"),
    "late": Field("bigint", "Readings that were appended late"),
    "corrected": Field("bigint", "Readings of which more than one record told, with other values"),
    "parity_compared": Field(
        "bigint", "Readings whose judgement was compared with the stream's: same rules, same registry"
    ),
    "parity_violations": Field("bigint", "Readings of which Curated holds something else than their records say"),
    "earliest_observed_at": Field("timestamp", "Earliest time of observation, UTC"),
    "latest_observed_at": Field("timestamp", "Latest time of observation, UTC"),
    "touched_hours": Field(
        "timestamps", "Starts of the hours of observation of which a row or a verdict may differ now, UTC, in order"
    ),
    "deepened": Field("bigint", "Readings of which levels 2 and 3 made a flag worse"),
    "curated_version": Field("bigint", "Version of curated.observations that consumers of the unit read, or have read"),
    "verdicts_version": Field("bigint", "Version of curated.verdicts that they read, or have read"),
    "curated_at": Field("timestamp", "When the unit was curated, or last changed, UTC"),
}

SOURCE: dict[str, Field] = {
    "summary_table": Field("string", "Table of Gold that the window belongs to"),
    "summarised_at": Field("timestamp", "When these versions were read first for the window, UTC"),
}

PROOF: dict[str, Field] = {
    "appended_from": Field("timestamp", "Begin of the append times that were compared, or read, UTC, inclusive"),
    "appended_to": Field("timestamp", "Their end, exclusive"),
    "compared_offsets": Field("bigint", "Kafka offsets in range"),
    "curated_offsets": Field("bigint", "Offsets whose record is a row of Curated"),
    "duplicate_offsets": Field("bigint", "Offsets whose record says what a row of Curated says already"),
    "superseded_offsets": Field("bigint", "Offsets whose record was corrected by a newer one"),
    "quarantined_offsets": Field("bigint", "Offsets whose record could not be read"),
    "unaccounted_offsets": Field("bigint", "Offsets without a disposition, or missing from Raw: a fault"),
    "doubled_offsets": Field("bigint", "Offsets with more than one disposition: a fault"),
    "compared_rows": Field("bigint", "Rows of Curated that were compared with Cassandra"),
    "differing_rows": Field("bigint", "Rows that differ: a fault"),
    "compared_panes": Field("bigint", "10-minute panes that were made anew and compared with Cassandra"),
    "differing_panes": Field("bigint", "Panes that differ: a fault"),
    "compared_verdicts": Field("bigint", "Verdicts of levels 2 and 3 that were compared with what Cassandra serves"),
    "differing_verdicts": Field("bigint", "Verdicts, panes and latest values made with them that differ: a fault"),
    "compared_windows": Field("bigint", "Hours and days of Gold that were made anew"),
    "compared_gold": Field("bigint", "Rows of Gold's hours and days that were compared with what was made anew"),
    "differing_gold": Field("bigint", "Rows that differ: a fault"),
    "pending_units": Field("bigint", "Curated units in range of which Gold is not made yet"),
    "aged_windows": Field("bigint", "Hours and days whose versions of Curated are too old to be read: not compared"),
    "fault_examples": Field("string", "JSON: up to ten of each kind of fault"),
    "reconciled_at": Field("timestamp", "When it was compared, UTC"),
}

BACKFILL: dict[str, Field] = {
    "run_id": Field("string", "Hash of what was asked for: the same again is the same run, and goes on where it ended"),
    "kind": Field("string", "What was done: kafka_replay or raw_recompute"),
    "parameters": Field("string", "JSON: what was asked for"),
    "approved_by": Field("string", "Who has approved it, as Airflow knows them"),
    "backfill_state": Field("string", "running, done, failed or undone"),
    "done_offsets": Field("string", "JSON: by Kafka partition the offset before which all is done"),
    "chunks": Field(
        "string",
        "JSON: of each chunk that a recompute has begun its first time of observation, its end, and the version of "
        "curated.observations before it",
    ),
    "planned": Field("bigint", "Kafka records that are to be read; empty until they are counted"),
    "replayed": Field("bigint", "Kafka records that were read"),
    "expected_at": Field("timestamp", "When all are read at the pace of the present try, UTC; empty while it has none"),
    "inserted": Field("bigint", "Rows that Curated did not hold"),
    "updated": Field("bigint", "Rows of Curated that were replaced"),
    "unchanged": Field("bigint", "Readings of which Curated held what the records say, or newer"),
    "started_at": Field("timestamp", "When the run began, UTC"),
    "ended_at": Field("timestamp", "When it ended, UTC; empty while it runs"),
}
