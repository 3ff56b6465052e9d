"""What `relay up` says when everything is ready."""

from __future__ import annotations

from relay.stack import Stack

EXAMPLE = "-d name='Lan Nguyen' -d email=lan@example.com -d message='Please call me'"


def welcome(stack: Stack) -> str:
    """Return the addresses, and one line to try."""
    lines = [
        "",
        "CRM Relay is ready.",
        f"  Receiver  {stack.receiver_url}/webhooks/<source>   sources: {', '.join(stack.settings.sources)}",
    ]
    if stack.with_sandbox:
        lines.append(f"  Sandbox   {stack.sandbox_url}/_sandbox/records   what the CRMs hold")
    lines += [
        f"  Flower    {stack.flower_url}   user relay, password {stack.flower_password_at}",
        f"  Broker    {_without_password(stack.settings.broker_url)}",
        f"  Ledger    {_without_password(stack.settings.database_url)}",
    ]
    form = next((s.name for s in stack.settings.sources.values() if s.type == "form" and not s.secrets), None)
    if form:
        lines += [
            "Try:",
            f"  curl {stack.receiver_url}/webhooks/{form} {EXAMPLE}",
        ]
    return "\n".join([*lines, "Ctrl-C stops everything.", ""])


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    credentials, at, host = rest.rpartition("@")
    return f"{scheme}{separator}{credentials.partition(':')[0]}{at}{host}"
