"""The task messages of a connection: Celery and kombu write the first one, the others differ in their ids alone."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A message as kombu would push it, and the ids that it was written for."""

    key: str  # of the list that is the queue
    text: str
    task_id: str
    delivery_id: str


@dataclass(frozen=True, slots=True)
class Template:
    """A message with its ids left open; `key` is the list that it belongs into.

    Made from one that the libraries wrote, not by ourselves: a release of theirs that writes something else is
    followed, and one that cannot be followed gives no template.
    """

    key: str
    _text: str  # for `%`
    _body: tuple[bytes, bytes]  # around the delivery's id

    def message(self, delivery_id: str, task_id: str, tag: str) -> str:
        """Return the message of the task that delivers `delivery_id`."""
        body = b64encode(delivery_id.encode().join(self._body)).decode()
        return self._text % {"task": task_id, "delivery": delivery_id, "tag": tag, "body": body}


def template(written: Written) -> Template | None:
    """Return what `written` has in common with all others, None where that cannot be told."""
    try:
        message = json.loads(written.text)
        tag, body = message["properties"]["delivery_tag"], message["body"]
        around = b64decode(body, validate=True).split(written.delivery_id.encode())
    except (ValueError, KeyError, TypeError):
        return None
    if len(around) != 2 or not isinstance(tag, str) or len({tag, written.task_id, written.delivery_id}) != 3:
        return None
    text = written.text.replace("%", "%%")
    slots = (("body", body), ("task", written.task_id), ("delivery", written.delivery_id), ("tag", tag))
    for slot, value in slots:
        text = text.replace(value, f"%({slot})s")
    made = Template(written.key, text, (around[0], around[1]))
    return made if made.message(written.delivery_id, written.task_id, tag) == written.text else None
