# syntax=docker/dockerfile:1
# One image for every role: `tierwatch worker`, `tierwatch topics create`, `tierwatch simulate`.

FROM python:3.12.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/tierwatch && python -m venv /opt/build
WORKDIR /src
# Only wheels, each with its hash: nothing but what was locked gets in. What compiles our own stays in this stage.
COPY requirements.txt requirements-dev.txt ./
RUN /opt/tierwatch/bin/pip install --only-binary=:all: --require-hashes -r requirements.txt
RUN /opt/build/bin/pip install --only-binary=:all: --require-hashes -r requirements-dev.txt
COPY setup.py pyproject.toml README.md LICENSE ./
COPY schemas/ schemas/
COPY pipeline/ pipeline/
COPY agents/ agents/
COPY console/ console/
COPY load_tests/ load_tests/
RUN TIERWATCH_COMPILE=1 /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/tierwatch/bin/pip install --no-deps /wheels/*.whl

FROM python:3.12.12-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tierwatch
COPY --from=build /opt/tierwatch /opt/tierwatch
ENV PATH=/opt/tierwatch/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 9464
# A worker answers here from its first second on, also while it waits for Kafka: a broker that is away is not cured by
# restarting workers.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/health/live', timeout=2).close()"]
ENTRYPOINT ["tierwatch"]
CMD ["worker"]
