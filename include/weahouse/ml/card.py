"""A model's card: one HTML page with its numbers and plots, whole in itself, to be read without a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from weahouse.ml.baselines import BASELINES

# Plots are drawn here: what could draw them is either not among the locked packages or fetches its code when looked at.
_WIDTH, _HEIGHT, _MARGIN = 420, 260, 44
_COLOURS = ("#1b6ca8", "#c1622d", "#4c8c4a", "#7a5195")
_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}svg{background:#fafafa;margin:0 1em 1em 0}"
)

Point = tuple[float, float]
# A target's name with what training found out about it: kind, and figures by model.
Facts = Mapping[str, Mapping[str, Any]]


def card(title: str, told: Mapping[str, str], facts: Facts) -> str:
    """The page of a model. `told`: data version, features, ranges and whatever else, as it is to be read."""
    parts = [f"<h1>{escape(title)}</h1>", _table(("", ""), told.items()), "<h2>Scores in the final range</h2>"]
    parts += [
        "<p>Temperatures in °C, rain as a probability, whose mean squared error is the Brier score. Skill is "
        "1 - MSE / MSE of the baseline: above 0 the model is better than it, below 0 worse.</p>",
        _table(_HEADER, _rows(facts)),
        _plots(facts),
    ]
    for target, fact in facts.items():
        parts += [f"<h2>{escape(target)} by station</h2>", _table(_STATION_HEADER, _station_rows(fact["figures"]))]
    body = "\n".join(parts)
    return f'<!doctype html>\n<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>\n{body}\n'


_HEADER = (
    "target",
    "model",
    "cases",
    "MAE",
    "RMSE",
    "bias",
    "MSE",
    "in interval",
    *(f"skill / {b}" for b in BASELINES),
)
_STATION_HEADER = ("station", "model", "cases", "MAE", "RMSE", "bias")


def _rows(facts: Facts) -> Iterable[Sequence[str]]:
    for target, fact in facts.items():
        for name, row in fact["figures"].items():
            numbers = [row["mae"], row["rmse"], row["bias"], row["mse"], row.get("coverage")]
            skills = [row["skill"].get(baseline) for baseline in BASELINES]
            label = f"{name} ({fact['kind']})" if name not in BASELINES and name != "champion" else name
            yield (target, label, str(row["cases"]), *map(_number, [*numbers, *skills]))


def _station_rows(figures: Mapping[str, Any]) -> Iterable[Sequence[str]]:
    for name, row in figures.items():
        for station, found in row["stations"].items():
            yield (station, name, str(found["cases"]), *map(_number, [found["mae"], found["rmse"], found["bias"]]))


def _plots(facts: Facts) -> str:
    by_lead: dict[str, list[Point]] = {}
    for fact in facts.values():
        if "lead_time_h" in fact and not any("reliability" in row for row in fact["figures"].values()):
            for name, row in fact["figures"].items():
                by_lead.setdefault(name, []).append((float(fact["lead_time_h"]), row["rmse"]))
    bins = {
        name: [(found["mean_forecast"], found["observed_frequency"]) for found in row["reliability"]]
        for fact in facts.values()
        for name, row in fact["figures"].items()
        if "reliability" in row
    }
    drawn = [_plot("RMSE (°C) by lead time (h)", by_lead)] if by_lead else []
    perfect: dict[str, list[Point]] = {"perfect": [(0.0, 0.0), (1.0, 1.0)]}
    return "".join([*drawn, _plot("Observed frequency by forecast probability", bins | perfect)] if bins else drawn)


def _plot(title: str, lines: Mapping[str, Sequence[Point]]) -> str:
    """Lines through points as SVG, with the greatest value at each axis's end."""
    right = max(x for points in lines.values() for x, _ in points) or 1.0
    top = max(y for points in lines.values() for _, y in points) or 1.0
    drawn = []
    for number, (name, points) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{_across(x / right)},{_up(y / top)}" for x, y in sorted(points))
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(f'<text x="{_MARGIN + 8}" y="{_MARGIN + 14 + 16 * number}" fill="{colour}">{escape(name)}</text>')
    axes = f"M{_across(0)} {_up(1)}V{_up(0)}H{_across(1)}"
    ends = (
        f'<text x="{_across(1) - 24}" y="{_up(0) + 18}">{right:g}</text>'
        f'<text x="4" y="{_up(1) + 4}">{top:.3g}</text><text x="{_MARGIN}" y="20">{escape(title)}</text>'
    )
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" font-size="13"><path d="{axes}" fill="none" stroke="#888"/>'
        f"{ends}{''.join(drawn)}</svg>"
    )


def _across(share: float) -> float:
    return round(_MARGIN + share * (_WIDTH - 2 * _MARGIN), 1)


def _up(share: float) -> float:
    return round(_HEIGHT - _MARGIN - share * (_HEIGHT - 2 * _MARGIN), 1)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
