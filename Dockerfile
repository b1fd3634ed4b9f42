# One image for every service of docker-compose.yaml: the official Airflow image for its system, its Python and its
# init; beside its packages, not over them, an environment with our lock and nothing else.
FROM apache/airflow:3.3.2-python3.11

SHELL ["/bin/bash", "-o", "pipefail", "-o", "errexit", "-c"]
USER 0
WORKDIR /opt/consigne

COPY requirements.txt ./
RUN env -u PIP_USER python3 -m venv .venv \
    && env -u PIP_USER .venv/bin/python -m pip install --no-cache-dir --no-deps --only-binary :all: \
        --require-hashes --requirement requirements.txt \
    && cksum requirements.txt > .venv/stamp

COPY consigne docker-compose.yaml ./
COPY config config
COPY dags dags
COPY plugins plugins
COPY include include
# Nothing can be written here at run time, so it is compiled now.
RUN .venv/bin/python -m compileall -q include dags plugins

# A word to stop reaches the first process, as `up` sends it: Celery lets its running tasks end.
ENV DUMB_INIT_SETSID=0 PYTHONPATH=/opt/consigne/include
# Any user without rights: docker-compose.yaml names one a service.
USER 50000:50000
# Files are for their owner and its group, which is its own: `up` makes them so. The base image's own entry point would
# look for a metadata database, which workers must not know.
ENTRYPOINT ["/usr/bin/dumb-init", "--", "/bin/sh", "-c", "umask 027 && exec \"$@\"", "sh"]
CMD ["/opt/consigne/.venv/bin/python", "-m", "consigne.doors.cli", "--help"]
