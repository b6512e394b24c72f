from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from weahouse.alerts.rules import load_alert_rules
from weahouse.cli import app
from weahouse.cli.alerts import backtest, rules
from weahouse.cli.errors import UserError
from weahouse.settings import Settings


def test_the_rules_are_printed_with_their_versions() -> None:
    done = CliRunner().invoke(app, ["alerts", "rules", "--rules", str(Settings().alert_rules), "--json"])
    told = json.loads(done.stdout)
    assert told["version"] == load_alert_rules().version
    conditions = {rule["name"]: rule["condition"] for rule in told["rules"]}
    assert conditions["gale"] == "mean over 10 min of wind_speed_mps ≥ 17.2 m s-1"
    assert conditions["heat"] == "air_temperature_c ≥ 35 degC for 60 min"
    assert conditions["gale_gusts"] == "wind_gust_mps ≥ 22.1 m s-1, 3 times within 60 min"
    assert conditions["station_silent"] == "no report for 150 min"


def test_rules_that_cannot_be_used_are_told_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("rules: {gale: {kind: wind}}")
    with pytest.raises(UserError, match=r"mine\.yaml: rule gale: `kind` must be one of"):
        rules(file)
    with pytest.raises(UserError, match=r"mine\.yaml: rule gale"):
        backtest(file)


def test_a_question_that_makes_no_sense_is_refused_by_name() -> None:
    with pytest.raises(UserError, match='--station "a\'; DROP" is no station id'):
        backtest(station="a'; DROP")
    done = CliRunner().invoke(app, ["alerts", "backtest", "--from", "2014-01-02", "--to", "2014-01-01"])
    assert isinstance(done.exception, UserError)
    done = CliRunner().invoke(app, ["alerts", "--last", "3 fortnights"])
    assert "'3 fortnights' is not a duration" in str(done.exception)


@pytest.mark.parametrize("arguments", [["--active"], [], ["ack", "0", "--by", "kim"]])
def test_a_store_that_does_not_answer_is_told_in_one_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weahouse.cli.alerts.settings", lambda: Settings(cassandra_contact_points="127.0.0.1:1"))
    done = CliRunner().invoke(app, ["alerts", *arguments])
    assert isinstance(done.exception, UserError)
    assert "Cassandra at 127.0.0.1:1 does not answer" in str(done.exception)
