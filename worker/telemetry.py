"""One wide log line per step, and Sentry; neither ever sees a payload's values."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import sentry_sdk
import structlog
from sentry_sdk.types import Breadcrumb, BreadcrumbHint, Event, Hint

from worker.masking import masked, without_secrets, without_secrets_inside

#: What a Sentry event may say of a request; everything else of it is a sender's data.
REQUEST_KEYS = frozenset({"method", "url"})


#: Made once: json.dumps makes one for each line that names a `default`.
_JSON = json.JSONEncoder(default=repr)
#: Bound once: structlog puts a logger together anew for every line otherwise.
_bound: Any = None


def start_logging() -> None:
    """Write one JSON object per line to standard error."""
    global _bound
    structlog.configure(
        processors=[_written],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _bound = structlog.get_logger().bind()
    # What libraries log (Celery of a task that crashed, gunicorn of a request) goes its own ways to standard error.
    logging.setLogRecordFactory(_masked_record)
    # It warns of every duplicate among events that are stored together.
    logging.getLogger("psycopg").setLevel(logging.ERROR)


def _masked_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = logging.LogRecord(*args, **kwargs)
    try:
        record.msg, record.args = masked(record.getMessage()), ()
    except (TypeError, ValueError):
        return record  # its arguments do not fit: logging says so where it writes the line
    if record.exc_info:
        record.exc_text = masked(logging.Formatter().formatException(record.exc_info))
    return record


def _written(logger: Any, method: str, line: MutableMapping[str, Any]) -> str:
    # One function and not structlog's chain of seven, which takes twice as long: every accept has its line.
    line["level"] = method
    line["at"] = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if line.pop("exc_info", None):
        # Our lines do not pass through logging, where Sentry would find the exceptions by itself.
        sentry_sdk.capture_exception()
        # The message of somebody's ValueError may be the customer's data.
        line["exception"] = masked(traceback.format_exc().rstrip())
    return without_secrets(_JSON.encode(line))


def log() -> Any:
    """Return the logger. Its lines' fields are event_id, source, connection, delivery_id, attempt, outcome, ms."""
    return _bound or structlog.get_logger()


def alert(event: str, *, is_over: bool = False, **fields: Any) -> None:
    """Write one line that a person should see, and send one event to Sentry, where it is on.

    `is_over` says that what was wrong is no more.
    """
    if is_over:
        log().warning(event, **fields)
    else:
        log().error(event, **fields)
    said = ", ".join(f"{name}: {value}" for name, value in fields.items())
    sentry_sdk.capture_message(f"{event}: {said}", level="info" if is_over else "error")


def start_sentry(dsn: str, process: str) -> None:
    """Report our own faults to Sentry; does nothing without a DSN."""
    if not dsn:
        return
    sentry_sdk.init(
        dsn=dsn,
        include_local_variables=False,  # they hold payloads
        data_collection={
            "user_info": False,
            "http_bodies": [],
            "stack_frame_variables": False,
            "queues": False,
        },
        max_request_body_size="never",
        max_breadcrumbs=20,
        before_send=scrubbed,
        before_breadcrumb=_scrubbed_breadcrumb,
    )
    # Not `sentry_sdk.set_tag`, which is for this context: each request of a receiver has one of its own.
    sentry_sdk.get_global_scope().set_tag("process", process)


def _scrubbed_breadcrumb(crumb: Breadcrumb, hint: BreadcrumbHint) -> Breadcrumb | None:
    kept = ("type", "category", "level", "timestamp")
    return {**{k: v for k, v in crumb.items() if k in kept}, "message": masked(str(crumb.get("message", "")))}


def scrubbed(event: Event, hint: Hint) -> Event | None:
    """Return `event` without request data, and with e-mail addresses, phone numbers and tokens masked."""
    request = event.get("request")
    if isinstance(request, dict):
        kept = {k: v for k, v in request.items() if k in REQUEST_KEYS}
        if "url" in kept:
            kept["url"] = str(kept["url"]).partition("?")[0]
        event["request"] = kept
    for part in ("user", "extra", "server_name"):
        event.pop(part, None)  # type: ignore[misc]
    for entry in (event.get("exception") or {}).get("values", []):
        entry["value"] = masked(str(entry.get("value", "")))
    if isinstance(event.get("logentry"), dict):
        event["logentry"] = {"message": masked(str(event["logentry"].get("message", "")))}
    if "message" in event:
        event["message"] = masked(str(event["message"]))
    clean: Event = without_secrets_inside(event)
    return clean
