from __future__ import annotations

import pytest

from weahouse.cli.errors import UserError
from weahouse.cli.output import cell, legend, sparkline
from weahouse.cli.reads import history, latest, rolling, summaries


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"last": "6h", "start": "2024-05-01"}, "exclude each other"),
        ({"end": "2024-05-01"}, "--to needs --from"),
        ({"last": "3 fortnights"}, "'3 fortnights' is not a duration"),
        ({"start": "yesterday"}, "--from 'yesterday' is not a time"),
        ({"as_json": True, "as_csv": True}, "exclude each other"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_name(arguments: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        history("724940:23234", **arguments)


def test_a_variable_that_is_not_measured_is_refused_with_those_that_are() -> None:
    with pytest.raises(UserError, match=r"'rain' is not measured; what is: air_temperature_c, .*precipitation_mm"):
        summaries("724940:23234", variable=["rain"])


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="--at 'noon' is not a time"):
        rolling("724940:23234", at="noon")


def test_a_store_that_does_not_answer_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from weahouse.settings import Settings

    monkeypatch.setattr("weahouse.cli.reads.settings", lambda: Settings(cassandra_contact_points="127.0.0.1:1"))
    with pytest.raises(UserError, match=r"Cassandra at 127\.0\.0\.1:1 does not answer"):
        latest()


def test_a_flag_is_a_mark_beside_the_value() -> None:
    assert cell("air_temperature_c", 12.34, 1) == "12.3 "
    assert cell("air_temperature_c", 12.34, 3) == "12.3?"
    assert cell("wind_from_direction_deg", 270.0, 4) == "270!"
    assert cell("precipitation_mm", None, 9) == ""


def test_the_legend_names_only_the_marks_that_are_there() -> None:
    rows = [
        {"dew_point_c": 7.0, "dew_point_c_flag": 3},
        {"dew_point_c": None, "dew_point_c_flag": 9, "wind_gust_mps": 4.0, "wind_gust_mps_flag": 1},
    ]
    assert legend(rows) == "? suspect"


@pytest.mark.parametrize(
    ("values", "drawn"),
    [([], ""), ([None, None], ""), ([5.0, 5.0], "▁▁"), ([0.0, 7.0], "▁█"), ([0.0, None, 7.0], "▁ █")],
)
def test_a_sparkline_draws_the_course_of_a_series(values: list[float | None], drawn: str) -> None:
    assert sparkline(values) == drawn
