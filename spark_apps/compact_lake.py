"""Compacts closed partitions of the lake's tables, and deletes files that no version of the last week names.

Prints one JSON object: what was found, and what became of it. With --dry-run nothing is changed.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from datetime import UTC, datetime

from pyspark.sql import SparkSession

from weahouse.batch.compaction import as_document, compact, plan, vacuum
from weahouse.io.app_log import begin_log
from weahouse.schemas.datasets import COMPACTED
from weahouse.settings import settings

_TABLES = {dataset.name: dataset for dataset in COMPACTED}


def main() -> int:
    begin_log()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", choices=sorted(_TABLES), help="one table; else all of them")
    parser.add_argument("--dry-run", choices=["true", "false"], default="false")
    asked = parser.parse_args()
    datasets = [_TABLES[asked.dataset]] if asked.dataset else list(_TABLES.values())
    wanted = plan(settings(), datasets, datetime.now(UTC))
    told = {
        "dry_run": asked.dry_run == "true",
        "partitions": len(wanted),
        "files": sum(each.files for each in wanted),
        "bytes": sum(each.size_bytes for each in wanted),
    }
    if told["dry_run"]:
        for each in wanted:
            logging.info("would compact %s", json.dumps(as_document(each)))
        print(json.dumps(told))
        return 0
    spark = SparkSession.builder.appName("compact_lake").getOrCreate()
    done = compact(spark, settings(), wanted)
    vacuum(spark, settings(), datasets)
    for each in done:
        logging.info("compacted %s", json.dumps(each))
    told |= {
        f"{name}_after": sum(each.get(f"{name}_after", each[name]) for each in done) for name in ("files", "bytes")
    }
    print(json.dumps({**told, "conflicts": sum("conflict" in each for each in done)}))
    spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
