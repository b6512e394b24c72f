"""Words of quality control: what is said of a row, of a station, and of what is served of both."""

from __future__ import annotations

from weahouse.schemas.kinds import Field

JUDGEMENT: dict[str, Field] = {
    "payload_hash": Field("bigint", "Hash over region and the nine measurements as sent; equal hash, equal reading"),
    # Orders what is written to Cassandra about one key: two records of it may have been appended in one millisecond.
    "revision": Field("int", "How often the row was replaced, by a newer record or by a recompute"),
    "tests_applied": Field("bigint", "Bit mask of the quality tests that were applied; bits in docs/reference"),
    "tests_failed": Field("bigint", "Bit mask of the quality tests that failed"),
    "tests_excused": Field(
        "bigint", "Bit mask of the failed tests that neighbours or other variables have explained as weather"
    ),
    "quality_level": Field("tinyint", "Highest level of quality control reached: 1, 2 or 3", values=(1, 2, 3)),
    "rules_version": Field("string", "Content hash of the quality rules that judged the row"),
    # Null when on time, so that the Delta log's null counts tell how many rows are late without reading them.
    "late_by_s": Field(
        "bigint", "Seconds between observation and append where that exceeds the lateness, else null", "s"
    ),
    "reason": Field("string", "Why a record cannot be read as an observation, or why a backfill is done"),
}

TRUST: dict[str, Field] = {
    "checks_applied": Field("bigint", "Values of 7 days that were checked by a test that accuses this variable alone"),
    "checks_failed": Field("bigint", "Values among them that failed such a test, without excuse"),
    "is_trusted": Field("boolean", "Whether the variable's values serve as neighbours, in alerts and in training"),
}

# Of Cassandra's own columns of verdicts. What was judged is named by the version with which the stream has written it:
# where that has written again, the verdict counts no more.
SERVED_JUDGEMENT: dict[str, Field] = {
    "judged_version": Field("bigint", "Version of what was judged: of the observation, or of the window's panes"),
    "pane_version": Field("bigint", "Version of the window's panes: grows with each reading and each correction"),
    "verdict": Field("verdict", "What levels 2 and 3 say of the row, where they make a flag worse; else null"),
    "judged_panes": Field("judged_panes", "The panes that verdicts alter, as they are then; null where there are none"),
    "judged_values": Field(
        "judged_values", "The latest values of which verdicts make the flag worse; null where there are none"
    ),
}
