from __future__ import annotations

import re
from xml.etree import ElementTree

from weahouse.ml.card import card

FIGURES = {
    "cases": 10,
    "mae": 1.0,
    "rmse": 1.5,
    "bias": -0.25,
    "mse": 2.25,
    "coverage": 0.8,
    "skill": {"persistence": -0.125, "climatology": 0.5},
    "stations": {"a<b": {"cases": 10, "mae": 1.0, "rmse": 1.5, "bias": -0.25}},
}
BINS = [{"bin": 1, "cases": 5, "mean_forecast": 0.15, "observed_frequency": 0.2}]


def page() -> str:
    temperature = {"kind": "linear", "lead_time_h": 6, "figures": {"learned": FIGURES}}
    rain = {"kind": "linear", "lead_time_h": 3, "figures": {"learned": FIGURES | {"reliability": BINS}}}
    return card("Training 1", {"data": "gold.station_features@3"}, {"temperature_6h": temperature, "rain_3h": rain})


def test_a_card_tells_the_data_the_scores_and_a_negative_skill():
    told = page()
    for text in ("Training 1", "gold.station_features@3", "learned (linear)", "2.250", "-0.125", "a&lt;b"):
        assert text in told


def test_a_card_has_two_plots_and_needs_nothing_from_elsewhere():
    plots = re.findall(r"<svg.*?</svg>", page())
    assert len(plots) == 2
    for plot in plots:
        assert ElementTree.fromstring(plot).findall("polyline")
    assert not re.search(r"https?://|<script|<link|src=", page())
