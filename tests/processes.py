"""Which of a run's processes runs which tests: two have servers, each of its own; any runs whatever else there is."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

AIRFLOW, STREAM, WHOLE_FILE = "airflow", "stream", "whole file"
# In the order in which they are begun, which is before all else: they take longest.
WITH_SERVERS = (AIRFLOW, STREAM)
PARTS = {
    "tests/control_plane/": AIRFLOW,
    # Starts an instance of its own.
    "tests/integration/test_whole_file.py": WHOLE_FILE,
    "tests/faults/": STREAM,
    "tests/integration/": STREAM,
    "tests/io/test_hdfs.py": STREAM,
    "tests/plugins/test_model_cards.py": STREAM,
}


def part_of(test: str) -> str:
    """What a test, by its node id, runs in one process with, in its order: a part that has a name, else its file."""
    file = test.partition("::")[0]
    return next((part for place, part in PARTS.items() if file.startswith(place)), file)


def place_of(test: str) -> int:
    """The place of a test's part in a run: 0 for what is begun first."""
    return (*WITH_SERVERS, part := part_of(test)).index(part)


class Scheduling(LoadScopeScheduling):
    """Gives a process one part after the other."""

    def _split_scope(self, nodeid: str) -> str:
        return part_of(nodeid)
