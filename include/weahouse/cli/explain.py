"""`weahouse explain`: the way of one station's reading of one time, from its Kafka record to every table it is in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weahouse.cli.errors import UserError
from weahouse.settings import settings

if TYPE_CHECKING:
    from weahouse.cli.explaining.lake import Search
    from weahouse.cli.explaining.records import Explained
    from weahouse.settings import Settings

Entry = dict[str, Any]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(explain)


def explain(
    station: Annotated[str, typer.Argument(help="A station id as `latest` shows it, e.g. 724940:23234.")],
    time: Annotated[str, typer.Argument(help="When it was observed, RFC 3339 with a zone, e.g. 2024-05-01T12:00:00Z.")],
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="Look through all of Raw and the quarantine; may take minutes.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Explain one reading: its records, what became of each, how it was judged, and which tables hold it.

    Records are told in the order in which Kafka appended them, with partition, offset and payload as it was sent, and
    end as `curated`, `duplicate` (says what the curated one says), `superseded` (corrected by it) or `quarantined`.
    Then each quality test with value, limit and whose limit it is: the station's, its region's or the default. Then
    every table of the lake and of Cassandra, and the alerts that name it.

    Example: `weahouse explain 724940:23234 2024-05-01T12:00:00Z`. Take a time from `weahouse history`.

    Raw is looked through only in the hours of append time in which such a record can be: as curation's ledger tells,
    else until the lateness is over. Repeats that came later in an hour that is not curated yet need `--everywhere`.
    Exit code 1 where nothing is found.
    """
    from weahouse.cli.explaining.layout import print_trace
    from weahouse.cli.output import print_json_object
    from weahouse.io.lake import LakeError, plain

    at = observed_time(time)
    check_station(station)
    try:
        found = trace(settings(), station, at, datetime.now(UTC), everywhere)
    except LakeError as error:
        raise UserError(str(error)) from None
    if not found["records"] and found["curated"] is None:
        raise UserError(_nothing(settings(), found))
    if as_json:
        print_json_object(plain(found))
    else:
        print_trace(found)


def check_station(station: str) -> None:
    """Raise UserError for a text that no station can have as its id."""
    from weahouse.sources.records import is_name

    if not is_name(station):
        raise UserError(f"{station!r} is no station id: write 1 to 64 of A-Z a-z 0-9 . _ : -")


def observed_time(text: str) -> datetime:
    """A time of observation in UTC; raises UserError for one without a zone, which could mean several."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"TIME {text!r} is not a time: write it like 2024-05-01T12:00:00Z") from None
    if at.tzinfo is None:
        raise UserError(f"TIME {text!r} has no zone: write {text}Z if it is UTC, or {text}-06:00")
    return at.astimezone(UTC).replace(microsecond=0)


def trace(settings: Settings, station: str, at: datetime, now: datetime, everywhere: bool = False) -> Entry:
    """All that is known of a reading, as one document. Raises LakeError; a Cassandra that is away is told in it."""
    from weahouse.cli.explaining import lake, records

    registered, curated = lake.station_of(settings, station), lake.curated_row(settings, station, at)
    verdict = None if curated is None else lake.verdict_row(settings, station, at)
    where = lake.EVERYWHERE if everywhere else lake.search(settings, at, curated, now)
    raw = [row for row in lake.raw_rows(settings, station, where) if records.tells_of(row, station, at)]
    quarantine = [row for row in lake.quarantine_rows(settings, station, where) if records.tells_of(row, station, at)]
    explained = records.explain(raw, quarantine, curated)
    region = (curated or registered or {}).get("region")
    judgement = _judgement(curated, verdict, registered)
    return {
        "station_id": station,
        "observed_at": at,
        "station": registered,
        "region": region,
        "searched": {"raw_hours": where.raw, "quarantine_hours": where.quarantine},
        "records": [_record(each) for each in explained],
        "curated": curated,
        **judgement,
        "tables": [
            *_lake_tables(settings, station, at, raw, curated, quarantine, verdict),
            *_serving_tables(settings, station, at, region, curated),
        ],
        "notes": _notes(explained, curated, registered, judgement["rules"], where),
    }


def _record(explained: Explained) -> Entry:
    row = explained.row
    told = {name: row[name] for name in ("topic", "partition", "offset")}
    payload = {"appended_at": row["timestamp"], "key": row["key"], "payload": row["value"]}
    return told | payload | {"disposition": explained.disposition, "why": explained.why}


def _judgement(curated: Entry | None, verdict: Entry | None, registered: Entry | None) -> Entry:
    """The rules that judged a row and those at hand, its flags and its tests; empty where there is no row."""
    if curated is None:
        return {"rules": None, "flags": {}, "tests": []}
    from weahouse.cli.explaining.judgement import flags_of, judged, verdicts_of
    from weahouse.cli.qc_limits import effective
    from weahouse.qc.rules import load_rules

    rules = load_rules()
    latitude = (registered or {}).get("latitude_deg")
    month = curated["observed_at"].month
    limits = effective(rules, curated["station_id"], curated["region"], latitude, month)
    row = judged(curated, verdict)
    told = {"judged_by": row["rules_version"], "at_hand": rules.version, "latitude_deg": latitude}
    told["quality_level"] = row["quality_level"]
    return {"rules": told, "flags": flags_of(row), "tests": verdicts_of(row, limits)}


def _lake_tables(
    settings: Settings,
    station: str,
    at: datetime,
    raw: list[Entry],
    curated: Entry | None,
    quarantine: list[Entry],
    verdict: Entry | None,
) -> list[Entry]:
    from weahouse.cli.explaining.lake import held_by_others
    from weahouse.schemas.datasets import (
        CURATED_OBSERVATIONS,
        CURATED_QUARANTINE,
        CURATED_VERDICTS,
        RAW_OBSERVATIONS,
    )

    counted = [
        (RAW_OBSERVATIONS.name, len(raw), _counted(len(raw), "record")),
        (CURATED_OBSERVATIONS.name, int(curated is not None), _of_row(curated)),
        (CURATED_QUARANTINE.name, len(quarantine), _counted(len(quarantine), "record")),
        (CURATED_VERDICTS.name, int(verdict is not None), _of_verdict(curated, verdict)),
    ]
    others = [
        (dataset.name, (held or 0) if curated else 0, _of_others(held, curated))
        for dataset, held in held_by_others(settings, station, at)
    ]
    return [
        {"table": table, "store": "Delta", "holds": held > 0, "what": what} for table, held, what in (*counted, *others)
    ]


def _of_row(curated: Entry | None) -> str:
    if curated is None:
        return "no row"
    late = curated["late_by_s"]
    told = f", late: {timedelta(seconds=round(late))} after it was observed" if late is not None else ""
    return f"revision {curated['revision']}, appended {curated['ingested_at']:%Y-%m-%d %H:%M:%S}{told}"


def _of_others(held: int | None, curated: Entry | None) -> str:
    """What a table says that is made of readings; where Curated lacks this one it is made of its neighbours in time."""
    if held is None:
        return "there is no such table yet"
    return _counted(held, "row") + (" of other readings" if held and curated is None else "")


def _of_verdict(curated: Entry | None, verdict: Entry | None) -> str:
    from weahouse.cli.explaining.judgement import is_of

    if verdict is None or curated is None:
        return "no row: level 1 is all that has judged it" if curated else "no row"
    if not is_of(verdict, curated):
        return "of another version than Curated holds, so it counts for nothing: the next curation judges it again"
    return f"level {verdict['quality_level']}, of this version"


def _serving_tables(
    settings: Settings, station: str, at: datetime, region: str | None, curated: Entry | None
) -> list[Entry]:
    from weahouse.cli.explaining.serving import tables
    from weahouse.io.cassandra import CassandraError

    try:
        return [dict(entry) for entry in tables(settings, station, at, region, curated)]
    except CassandraError as error:
        return [{"table": "Cassandra's tables", "store": "Cassandra", "holds": None, "what": str(error)}]


def _notes(
    explained: list[Explained], curated: Entry | None, registered: Entry | None, rules: Entry | None, where: Search
) -> list[str]:
    """What a reader must know so as not to take the rest for more than it is."""
    if curated is None or rules is None:
        return []
    notes = []
    readable = sum(each.disposition != "quarantined" for each in explained)
    if readable <= curated["revision"] and where.raw is not None:
        notes.append(
            f"Curated counts {curated['revision'] + 1} records of this reading and {readable} were found: "
            "--everywhere looks through all of Raw"
        )
    if rules["judged_by"] != rules["at_hand"]:
        notes.append(
            f"The row was judged by rules {rules['judged_by']}; the limits shown are those of "
            f"{rules['at_hand']}, the rules at hand"
        )
    station = registered or {}
    registered_at = station.get("registered_at")
    # Limits depend on the registry's latitude alone; a station that only its readings told of has none.
    if station.get("latitude_deg") is not None and registered_at and registered_at > curated["ingested_at"]:
        notes.append("The registry's entry of the station is younger than the row: its latitude may have been another")
    return notes


def _nothing(settings: Settings, found: Entry) -> str:
    from weahouse.cli.explaining.layout import hours_text
    from weahouse.orchestration.status import stream_status

    station, at = found["station_id"], f"{found['observed_at']:%Y-%m-%dT%H:%M:%SZ}"
    hours = found["searched"]["raw_hours"]
    where = "all of Raw" if hours is None else f"Raw of the hours {hours_text(hours)}"
    if found["station"] is None:
        return f"station {station!r} is not known, and {where} holds nothing of it at {at}: see `weahouse latest`"
    lag = stream_status(settings)["lag_records"]
    waiting = f"; {lag:,} records wait to be read by the stream" if lag else ""
    wider = "" if hours is None else "; --everywhere looks through all of it"
    return f"nothing of {station} at {at}: not in Curated, not in {where}, not in the quarantine{wider}{waiting}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
