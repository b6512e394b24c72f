"""`make test-faults`: seeds of load and faults against real servers; ends with `seeds N, violations M`."""

from __future__ import annotations

import argparse
import signal
import sys
import time

# First: it sets the environment that Airflow and Spark read once.
from tests import instance


def main() -> int:
    """Run the seeds; 1 where anything was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--seed-base", type=int, default=1, help="the first one (default: 1)")
    parser.add_argument("--record", action="store_true", help="note the results in docs/reference/fault_seeds.md")
    wanted = parser.parse_args()
    if wanted.seeds < 1:
        parser.error("--seeds must be at least 1: a suite that compares nothing has shown nothing")
    # So that a run which is ended from outside leaves no server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True)

    violations = 0
    with instance.clean_home(), instance.spark_session() as spark:
        from tests.faults.record import record
        from tests.faults.suite import run_seeds

        platform = instance.start_platform()
        tell("servers are up")
        for result in run_seeds(spark, platform, range(wanted.seed_base, wanted.seed_base + wanted.seeds), tell):
            tell(str(result))
            violations += len(result.report.violations)
            if result.report.violations:
                print(f"{result.plan}\n  " + "\n  ".join(map(str, result.report.violations)))
                print(f"  run it again: make test-faults SEEDS=1 SEED_BASE={result.plan.seed}", flush=True)
            if wanted.record:
                record(result)
    print(f"seeds {wanted.seeds}, violations {violations}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
