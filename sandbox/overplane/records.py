"""Knows how Overplane's objects are shown, what they may refer to and what the vendor computes itself."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from sandbox.fields import Json
from sandbox.overplane.entities import ENTITIES, Entity
from sandbox.overplane.reference import CURRENCIES, STANDING
from sandbox.store import Record
from sandbox.vendor import Desk

CENT = Decimal("0.01")
# opportunity_from -> the kind of the party.
PARTIES: Mapping[str, str] = {"Lead": "lead", "Customer": "customer", "Prospect": "prospect"}


def now(desk: Desk) -> str:
    """Return the time the way the samples write it, to the second."""
    return datetime.fromtimestamp(desk.store.now_ms() / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(entity: Entity, record_id: str, state: Json) -> Json:
    """Return an object as answers show it: every attribute, null where it has no value."""
    return {"id": record_id, **{one.name: None for one in entity.fields}, **entity.defaults, **state}


def meant(desk: Desk, kind: str, value: str) -> Json | None:
    """Return the fields of the object that another one refers to, or None where there is none."""
    entity = ENTITIES[kind]
    way = desk.options[entity.reference] if entity.reference else "id"
    standing = STANDING.get(kind, {})
    if way != "name":
        stored = desk.store.get(desk.vendor, kind, value)
        by_id = stored.state if stored else standing.get(value)
        if by_id is not None or way == "id":
            return by_id
    named = [one for one in standing.values() if one[entity.named] == value]
    named += [one.state for one in desk.exact(kind, **{entity.named: value})]
    return named[0] if named else None


def wrong(desk: Desk, entity: Entity, body: Json, state: Json) -> list[str]:
    """Return the complaints about what `body` refers to; `state` are all fields that it would lead to."""
    found = [
        f"{name}: there is no {ENTITIES[kind].slug} {body[name]}"
        for name, kind in entity.refers.items()
        if body.get(name) and meant(desk, kind, body[name]) is None
    ]
    if entity.kind == "opportunity" and not body.keys().isdisjoint(("opportunity_from", "party_name")):
        party = PARTIES[state["opportunity_from"]]
        if meant(desk, party, state["party_name"]) is None:
            found.append(f"party_name: there is no {party} {state['party_name']}")
    currency = body.get("currency")
    if currency and currency not in CURRENCIES:
        found.append(f"currency: there is no currency {currency}")
    if entity.kind == "opportunity_item" and desk.options["item_code"] == "required":
        code = state.get("item_code")
        if not code or ("item_code" in body and not desk.exact("item", item_code=code)):
            found.append(f"item_code: there is no item {code}")
    return found


def _cents(amount: Decimal) -> float:
    return float(amount.quantize(CENT, ROUND_HALF_UP))


def _decimal(state: Json, name: str) -> Decimal:
    return Decimal(str(state.get(name) or 0))


def children(desk: Desk, kind: str, opportunity_id: str) -> list[Record]:
    """Return the child objects of an opportunity in their order, those not yet listed too."""
    found = desk.exact(kind, opportunity_id=opportunity_id)
    return sorted(found, key=lambda record: int(record.state["idx"]))


def _opportunity(desk: Desk, record_id: str, state: Json) -> Json:
    # The ERP behind Overplane keeps these fields read-only; `opportunity_amount` is the client's own.
    lines = children(desk, "opportunity_item", record_id)
    total = sum((Decimal(str(line.state["amount"])) for line in lines), Decimal())
    rate = _decimal(state, "conversion_rate")
    party = PARTIES[state["opportunity_from"]]
    # A party that has been deleted since leaves its name behind.
    known = meant(desk, party, state["party_name"]) or {ENTITIES[party].named: state.get("customer_name")}
    if desk.options["totals"] == "left":  # the sample of the reference shows a zero beside an amount
        total = Decimal()
    return {
        "customer_name": known.get(ENTITIES[party].named),
        "total": _cents(total),
        "base_total": _cents(total * rate),
        "base_opportunity_amount": _cents(_decimal(state, "opportunity_amount") * rate),
    }


def _line(desk: Desk, _record_id: str, state: Json) -> Json:
    amount = _cents(_decimal(state, "qty") * _decimal(state, "rate"))
    parent = desk.store.get(desk.vendor, "opportunity", state["opportunity_id"])
    rate = _decimal(parent.state, "conversion_rate") if parent else Decimal(1)
    return {
        "amount": amount,
        "base_amount": _cents(Decimal(str(amount)) * rate),
        "base_rate": _cents(_decimal(state, "rate") * rate),
    }


COMPUTED: Mapping[str, Callable[[Desk, str, Json], Json]] = {
    "opportunity": _opportunity,
    "opportunity_item": _line,
}


def completed(desk: Desk, entity: Entity, record_id: str, state: Json) -> Json:
    """Return the fields with those that the vendor computes itself."""
    compute = COMPUTED.get(entity.kind)
    return {**state, **compute(desk, record_id, state)} if compute else state
