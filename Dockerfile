FROM python:3.13-slim-bookworm
WORKDIR /app
COPY requirements.lock pyproject.toml ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY relay relay
COPY webhooks webhooks
COPY worker worker
COPY mappings mappings
COPY sandbox sandbox
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . && useradd --system relay
# The user may write nothing here: without this every process would compile all of it at each of its starts.
RUN python -m compileall -q relay webhooks worker mappings sandbox
USER relay
EXPOSE 8000
# As a list: in a shell's place gunicorn gets the SIGTERM itself.
CMD ["gunicorn", "--config", "python:webhooks.server", "--bind", "0.0.0.0:8000", "webhooks.app:from_environment()"]
