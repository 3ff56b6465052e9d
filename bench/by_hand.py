"""The worker that everybody writes by hand: `task.delay(payload)` in the request, one HTTP call per task.

It stands for the usual tutorial code, a little on the careful side: `acks_late`, and one httpx.Client shared
by the process, as httpx advises (httpx.post() per task would make a TLS context for every lead). It verifies,
stores, deduplicates, probes and retries nothing.
"""

from __future__ import annotations

import os

import httpx
from celery import Celery
from flask import Flask, Response, jsonify, request

app = Flask(__name__)
celery = Celery("by_hand", broker=os.environ["BY_HAND_BROKER"])
client = httpx.Client(timeout=20)


@celery.task(acks_late=True)  # type: ignore[untyped-decorator]
def send_lead(payload: dict[str, str]) -> None:
    """Post one lead to the CRM."""
    lead = {
        "name": payload["name"],
        "account_name": payload["company"],
        "external_id": payload["email"],
        "email": payload["email"],
        "phone": {"number": payload["phone"]},
        "note": payload["message"],
    }
    token = os.environ["BENCH_TOKEN"]
    answer = client.post(
        os.environ["BY_HAND_CRM"] + "/public/leads", json=lead, headers={"authorization": f"Bearer {token}"}
    )
    answer.raise_for_status()


@app.post("/webhook")
def webhook() -> Response:
    """Publish the form as a task and answer."""
    send_lead.delay(request.form.to_dict())
    return jsonify(status="ok")
