"""Which of a run's processes runs which tests: one all that need the servers, in their order, any each other file."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

NEED_SERVERS = (
    "tests/control_plane/",
    "tests/faults/",
    "tests/integration/",
    "tests/io/test_hdfs.py",
    "tests/plugins/test_model_cards.py",
)


def part_of(test: str) -> str:
    """What a test, by its node id, runs in one process with."""
    file = test.partition("::")[0]
    return "servers" if file.startswith(NEED_SERVERS) else file


class Scheduling(LoadScopeScheduling):
    """Gives a process one part after the other, the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return part_of(nodeid)
