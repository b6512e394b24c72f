from __future__ import annotations

import os
import tempfile

# Before the first import of Airflow, which reads its configuration once.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="weahouse-airflow-"))
