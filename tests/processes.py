"""Which of a run's processes runs which tests: two have servers, each of its own; any runs whatever else there is."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

AIRFLOW, STREAM, WHOLE_FILE = "airflow", "stream", "whole file"
# What takes longest is begun first; what has one name runs in one process, in its order.
NEED_SERVERS = {
    "tests/control_plane/": AIRFLOW,
    # Starts an instance of its own.
    "tests/integration/test_whole_file.py": WHOLE_FILE,
    "tests/faults/": STREAM,
    "tests/integration/": STREAM,
    "tests/io/test_hdfs.py": STREAM,
    "tests/plugins/test_model_cards.py": STREAM,
}


def part_of(test: str) -> str:
    """What a test, by its node id, runs in one process with: a part with servers, else its file."""
    file = test.partition("::")[0]
    return next((part for place, part in NEED_SERVERS.items() if file.startswith(place)), file)


def place_of(test: str) -> int:
    """The place of a test's part in a run: 0 for what is begun first."""
    return {AIRFLOW: 0, STREAM: 1}.get(part_of(test), 2)


class Scheduling(LoadScopeScheduling):
    """Gives a process one part after the other."""

    def _split_scope(self, nodeid: str) -> str:
        return part_of(nodeid)
