"""Random numbers without state: a number is a function of what it is for, so any reading can be computed alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# SplitMix64 (Steele, Lea and Flood 2014): its increment and its two multipliers.
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_MANTISSA = 2.0**-53


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))


def uniform(*words: ArrayLike) -> NDArray[np.float64]:
    """A number in [0, 1) for each tuple of whole numbers; the words are broadcast against each other."""
    state = np.zeros(1, np.uint64)
    for word in words:
        state = _mixed((state ^ np.asarray(word, np.int64).astype(np.uint64)) + _GAMMA)
    shape = np.broadcast_shapes(*(np.shape(word) for word in words))
    return np.asarray((state >> np.uint64(11)) * _MANTISSA, np.float64).reshape(shape)


def normal(*words: ArrayLike) -> NDArray[np.float64]:
    """A standard normal number for each tuple of whole numbers (the sum of 4 uniforms, so never beyond 3.5)."""
    total = sum(uniform(*words, part) for part in range(4))
    return np.asarray((total - 2.0) * np.sqrt(3.0))


def smooth(period: float, at: ArrayLike, *words: ArrayLike) -> NDArray[np.float64]:
    """Noise in [-1, 1] that turns about once in `period` seconds: uniform numbers joined by half cosines."""
    step = np.asarray(at, np.float64) / period
    node = np.floor(step)
    weight = 0.5 - 0.5 * np.cos(np.pi * (step - node))
    before, after = (uniform(*words, node + offset) for offset in (0, 1))
    return np.asarray(2.0 * (before * (1.0 - weight) + after * weight) - 1.0)
