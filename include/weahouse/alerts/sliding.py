"""Statistics of a window that slides over a station's reports, each report looked at twice at the most.

A station may report each second, and a rule look back three hours: made anew at each report, a statistic would be of
10,800 values. The results are the same to the last bit, wherever the window began to slide.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

# The least positive double is 2**-1074: every double is a whole number of it, and whole numbers add without rounding.
_UNIT_BITS = 1074
_ONE = 1 << _UNIT_BITS


class Window(Protocol):
    """What is known of the values with the numbers from some first one on, which come in their order."""

    def push(self, number: int, value: float) -> None:
        """Take a value in."""

    def drop_before(self, number: int) -> None:
        """Let the values before a number go; one at least is left."""

    def told(self) -> float:
        """The statistic of the values that are left."""


class Total:
    """The sum of the values, rounded once, as `math.fsum` gives it."""

    def __init__(self) -> None:
        self._held: deque[tuple[int, int]] = deque()
        self._total = 0

    def push(self, number: int, value: float) -> None:
        numerator, denominator = value.as_integer_ratio()
        units = numerator << (_UNIT_BITS - denominator.bit_length() + 1)
        self._held.append((number, units))
        self._total += units

    def drop_before(self, number: int) -> None:
        while self._held[0][0] < number:
            self._total -= self._held.popleft()[1]

    def told(self) -> float:
        return self._total / _ONE


class Extreme:
    """The greatest of the values (`sign` 1) or the least (-1)."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        # What a later value outdoes will never be the extreme again: values are held in falling order.
        self._held: deque[tuple[int, float]] = deque()

    def push(self, number: int, value: float) -> None:
        while self._held and self._sign * (value - self._held[-1][1]) >= 0:
            self._held.pop()
        self._held.append((number, value))

    def drop_before(self, number: int) -> None:
        while self._held[0][0] < number:
            self._held.popleft()

    def told(self) -> float:
        return self._held[0][1]


class Statistic(NamedTuple):
    """`of` makes one of the window's number, how many values it holds, and the newest of them."""

    window: Callable[[], Window]
    of: Callable[[float, int, float], float]


GREATEST, LEAST = partial(Extreme, 1), partial(Extreme, -1)
STATISTICS = {
    "mean": Statistic(Total, lambda held, count, _: held / count),
    "sum": Statistic(Total, lambda held, _, __: held),
    "min": Statistic(LEAST, lambda held, _, __: held),
    "max": Statistic(GREATEST, lambda held, _, __: held),
    "fall": Statistic(GREATEST, lambda held, _, newest: held - newest),
    "rise": Statistic(LEAST, lambda held, _, newest: newest - held),
}
