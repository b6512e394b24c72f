from __future__ import annotations

from typing import Any

import pytest

from weahouse.orchestration.training_request import TrainingRequestError, checked

ASKED: dict[str, Any] = {
    "kinds": ["linear"],
    "targets": ["rain_within_3h_3h"],
    "without_champion": False,
    "require_approval": True,
}


def test_what_is_asked_becomes_the_options_of_the_application():
    rain = {"targets": "rain_within_3h_3h"}
    assert checked(ASKED) == rain | {"kinds": "linear", "without-champion": "false"}
    more = {"kinds": ["boosted_trees", "linear", "linear"], "without_champion": True}
    assert checked(ASKED | more) == rain | {"kinds": "boosted_trees,linear", "without-champion": "true"}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"kinds": []}, "kinds is empty: name one or more of linear, boosted_trees"),
        ({"kinds": ["linear", "x; rm"]}, "kinds has 'x; rm'"),
        ({"targets": ["rain_within_3h"]}, "targets has 'rain_within_3h': name one or more of air_temperature_c_1h"),
        ({"without_champion": "no"}, "without_champion is 'no': write true or false"),
        ({"require_approval": None}, "require_approval is None"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_reason(wrong: dict[str, Any], reason: str):
    with pytest.raises(TrainingRequestError, match=reason):
        checked(ASKED | wrong)
