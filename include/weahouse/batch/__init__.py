"""Jobs over tables: read, transform, write. Airflow's Dags run them through `spark_apps/`."""
