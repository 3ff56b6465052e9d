"""The least that a Flask application can do: take the request and answer a constant JSON."""

from __future__ import annotations

from flask import Flask, Response, jsonify

app = Flask(__name__)


@app.post("/webhook")
def webhook() -> Response:
    """Answer, whatever came."""
    return jsonify(status="ok")
