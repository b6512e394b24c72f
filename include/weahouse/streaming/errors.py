"""Why the stream refuses to go on. Each ends the driver for good; the way out is `weahouse stream rebuild`."""

from __future__ import annotations


class StreamRefusedError(RuntimeError):
    """Going on would skip records or read others than were meant, so somebody has to decide."""


class TopicRecreatedError(StreamRefusedError):
    """The topic is another one than that which the checkpoint was made with."""


class OffsetsExpiredError(StreamRefusedError):
    """The topic no longer holds records that the stream has not read."""


class CheckpointDamagedError(StreamRefusedError):
    """A checkpoint that there was is gone, incomplete, unreadable, or was made by code that keeps another state."""
