from __future__ import annotations

import math
import random

import pytest

from weahouse.alerts.sliding import STATISTICS

WHOLE = {
    "mean": lambda values: math.fsum(values) / len(values),
    "sum": math.fsum,
    "min": min,
    "max": max,
    "fall": lambda values: max(values) - values[-1],
    "rise": lambda values: values[-1] - min(values),
}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("seed", range(20))
def test_a_window_that_slides_tells_what_its_values_tell_anew(name: str, seed: int):
    drawn = random.Random(seed)
    exponents = (0, 0, 0, -300, 15)
    values = [round(drawn.gauss(0, 10), drawn.choice([0, 1, 12])) * 10 ** drawn.choice(exponents) for _ in range(200)]
    statistic, start = STATISTICS[name], drawn.randrange(50)
    window, begun = statistic.window(), start
    for number in range(begun, len(values)):
        start = min(number, start + drawn.choice([0, 0, 1, 2, 7]))
        window.push(number, values[number])
        window.drop_before(start)
        told = statistic.of(window.told(), number + 1 - start, values[number])
        assert told == WHOLE[name](values[start : number + 1])
