"""Does what CRMTop's irregular operations do: tokens, statuses, conversion, approval, prints, units, members."""

import secrets
from html import escape

from sandbox.crmtop.actions import Action, addressed, change, make, named, put, success
from sandbox.crmtop.records import KINDS, PEOPLE, Invalid, held, refuse_wrong, shown, shown_id
from sandbox.vendor import Answer, Call, Desk, Refused

# What the four documented statuses are called: "1: Kế hoạch ... 4: Huỷ", "1: Tiếp nhận ... 4: Huỷ".
STEPS = ("1", "2", "3", "4")


def get_token(desk: Desk, call: Call) -> Answer:
    """Issue an access token that carries its own end; the refresh token opens nothing."""
    given = (call.body.get("clientId"), call.body.get("clientSecret"))
    if given not in [(one["client_id"], one["client_secret"]) for one in desk.credentials]:
        raise Refused(401, "Thông tin xác thực không hợp lệ")
    lifetime = int(desk.options["token_lifetime_s"])
    ends_ms = desk.store.now_ms() + lifetime * 1000
    token = f"{ends_ms}.{secrets.token_urlsafe(32)}"
    desk.store.add_token(desk.vendor, token)
    # "expiration": 0 is all that the reference says.
    units = {"seconds": lifetime, "epoch": ends_ms // 1000, "epoch_ms": ends_ms}
    expiration = units[str(desk.options["expiration"])]
    answer = {"accessToken": token, "refreshToken": secrets.token_urlsafe(32), "expiration": expiration}
    return success(answer)


def set_status(kind: str) -> Action:
    """Make the GET that sets a record's status and answers true."""

    def action(desk: Desk, call: Call) -> Answer:
        old = addressed(desk, kind, call.path["id"])
        if call.path["status"] not in STEPS:
            raise Invalid({"status": [f"The value '{call.path['status']}' is not valid."]})
        put(desk, old, old.sent, {**old.state, "status": int(call.path["status"])})
        return success(data=True)

    return action


def convert_lead(desk: Desk, call: Call) -> Answer:
    """Make a customer and its contact from a lead and answer only true; a second call makes both again."""
    lead = addressed(desk, "lead", call.path["id"])
    state = lead.state
    if state.get("converted") and desk.options["repeat_convert"] == "refuse":
        raise Refused(400, "Khách hàng tiềm năng đã được chuyển đổi")
    reachable = {name: state.get(name) for name in ("phone", "email", "ownerId", "ownerName")}
    company = state.get("company") or state.get("fullName")
    customer = make(desk, "customer", {"name": company, **reachable})
    person = {"customerId": customer.id, "customerName": company, "fullName": state.get("fullName")}
    make(desk, "contact", {**person, "position": state.get("position"), **reachable})
    put(desk, lead, lead.sent, {**state, "converted": True})
    return success(data=True)


def approve_order(desk: Desk, call: Call) -> Answer:
    """Approve an order or take the approval back."""
    old = named(desk, "order", call.body.get("id"))
    decided = {"approved": call.body.get("approve") or False, "approvalNote": call.body.get("note")}
    put(desk, old, old.sent, {**old.state, **decided})
    return success(data=True)


def print_orders(paper: str) -> Action:
    """Make the action that answers the given orders as a page of the given width in one string."""

    def action(desk: Desk, call: Call) -> Answer:
        orders = [named(desk, "order", one) for one in call.body.get("ids") or ()]
        rows = "".join(f"<h1>{escape(str(one.state.get('code') or one.id))}</h1>" for one in orders)
        return success(f'<html><body style="width:{paper}">{rows}</body></html>')

    return action


def save_unit(desk: Desk, call: Call) -> Answer:
    """Create a unit of measure, or change the one with the body's id, and answer its number.

    The path says create while the title says update ("Cập nhật đươn vị").
    """
    number = call.body.get("id")
    if number:
        return success(shown_id(change(desk, named(desk, "unit", number), call.body)))
    return success(shown_id(make(desk, "unit", call.body)))


def save_product_units(desk: Desk, call: Call) -> Answer:
    """Create or change units of products, by the shape of the list's items, and answer true."""
    for body in call.body.get("units") or ():
        refuse_wrong(desk, "product_unit", body)
        old = held(desk, "product_unit", body.get("id"))
        if old:
            change(desk, old, body)
        else:
            make(desk, "product_unit", body)
    return success(data=True)


def list_product_units(desk: Desk, call: Call) -> Answer:
    """Answer the units of one product."""
    product = addressed(desk, "product", call.path["productId"])
    return success([shown(desk, one) for one in desk.exact("product_unit", productId=product.id)])


def add_members(kind: str) -> Action:
    """Make the action that adds people to a campaign or segment and answers only true."""
    parent = KINDS[kind].parent

    def action(desk: Desk, call: Call) -> Answer:
        owner, ids = call.body.get(parent), call.body.get("ids") or []
        if not ids:
            raise Invalid({"ids": ["is required"]})
        for member in ids:
            row = {parent: owner, "type": call.body.get("type"), "memberId": member}
            ignored = desk.options["repeat_member"] == "ignore"
            if ignored and desk.exact(kind, **{parent: owner, "memberId": member}):
                continue
            make(desk, kind, {**row, "memberName": _name(desk, member)})
        return success(data=True)

    return action


def delete_segment_members(desk: Desk, call: Call) -> Answer:
    """Delete rows of one segment by the numbers that the search shows, not by the ids that were added."""
    rows = [held(desk, "segment_member", number) for number in call.body.get("ids") or ()]
    kept = [row for row in rows if row and row.state["segmentId"] == call.body.get("segmentId")]
    if not kept or len(kept) < len(rows):
        raise Invalid({"ids": ["does not exist"]})
    for row in kept:
        desk.store.remove(row)
    return success(data=True)


def _name(desk: Desk, member: object) -> object:
    for kind in PEOPLE.split():
        found = held(desk, kind, member)
        if found:
            return found.state.get("fullName") or found.state.get("name")
    return None
