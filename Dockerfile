# Read by `astro dev start`, which installs packages.txt and requirements.txt itself.
# docker-compose.yaml builds deploy/docker/Dockerfile.
FROM astrocrpublic.azurecr.io/runtime:3.3-2-python-3.11

ENV PYTHONPATH=/usr/local/airflow/include
