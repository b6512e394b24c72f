"""Gold on the real servers: the application over what the stream took, and leases of runs that died."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.rows import event

from weahouse.batch.writer import Writer
from weahouse.cli.spark_app import run_app
from weahouse.io.hdfs import Hdfs
from weahouse.schemas.gold import GOLD_DAILY_SUMMARIES, GOLD_HOURLY_SUMMARIES
from weahouse.schemas.render import lease_path

if TYPE_CHECKING:
    from tests.integration.conftest import Stream

    from weahouse.settings import Settings

STATION, HOURS = "summarised", "2024-05-01T12:00:00Z,2024-05-01T13:00:00Z"
MEANS = f"SELECT window_start, air_temperature_c_mean AS mean FROM gold.hourly_summaries WHERE station_id = '{STATION}'"
HIGHS = (
    "SELECT air_temperature_c_max AS high, air_temperature_c_max_at AS at FROM gold.daily_summaries"
    f" WHERE station_id = '{STATION}'"
)


def aggregate(settings: Settings, *arguments: str) -> dict[str, int]:
    code, told = run_app(settings, "aggregate_gold.py", *arguments, log_name="aggregate_gold")
    assert code == 0
    return told


def test_the_application_makes_gold_of_what_the_stream_took_and_nothing_twice(stream: Stream):
    times = {"12:00": 1.0, "12:30": 3.0, "13:00": 9.0}
    stream.send(
        *[
            (STATION, event(station_id=STATION, observed_at=f"2024-05-01T{at}:00Z", air_temperature_c=value))
            for at, value in times.items()
        ]
    )
    stream.settle()
    told = aggregate(stream.settings, "--hours", HOURS)
    assert (told["hours"], told["days"]) == (2, 1)
    assert sorted(row["mean"] for row in stream.lake(MEANS)) == [2.0, 9.0]
    assert stream.lake(HIGHS) == [{"high": 9.0, "at": "2024-05-01T13:00:00Z"}]

    again = aggregate(stream.settings, "--hours", HOURS, "--curated-version", str(told["curated_version"]))
    versions = {name: number for name, number in told.items() if name.endswith("_version")}
    assert {name: again[name] for name in versions} == versions
    hdfs = Hdfs(stream.settings)
    leases = [
        lease_path(dataset, stream.settings.hdfs_root) for dataset in (GOLD_HOURLY_SUMMARIES, GOLD_DAILY_SUMMARIES)
    ]
    assert [hdfs.exists(lease) for lease in leases] == [False, False]


def test_a_run_that_died_holds_up_no_other(platform: Settings):
    job = "made-up"
    # Named, or it would be given back as soon as nobody can reach it.
    died = Writer.on_hdfs(platform, job).hold(GOLD_HOURLY_SUMMARIES)
    died.__enter__()
    began = datetime.now(UTC)
    with Writer.on_hdfs(platform, job).hold(GOLD_HOURLY_SUMMARIES):
        assert (datetime.now(UTC) - began).total_seconds() < 30
