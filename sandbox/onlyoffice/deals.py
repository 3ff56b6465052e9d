"""Creates and changes opportunities, with the checks that the server makes."""

from sandbox.fields import Json
from sandbox.onlyoffice import shapes
from sandbox.onlyoffice.answers import failure, missing, number, success, wrong
from sandbox.onlyoffice.demands import access_list, custom_values, demand, found, given, known_contacts, plain
from sandbox.onlyoffice.fields import amount_of, choice_of, time_of, whole_of
from sandbox.onlyoffice.records import add, change, stored, time_text
from sandbox.onlyoffice.reference import BID_TYPES, CURRENCIES, NOBODY, listed, user
from sandbox.vendor import Answer, Call, Desk


def _opportunity_state(desk: Desk, body: Json) -> Json:
    demand(body, "title", "responsibleid", "stageid", "bidCurrencyAbbr")
    responsible, currency = body["responsibleid"].lower(), body["bidCurrencyAbbr"].upper()
    contact_id, stage_id = whole_of(body, "contactid"), whole_of(body, "stageid")
    checks = {
        "responsibleid": responsible != NOBODY and user(responsible) is not None,
        "stageid": listed("stage", stage_id) is not None,
        "contactid": contact_id == 0 or stored(desk, "contact", contact_id) is not None,
        "bidCurrencyAbbr": currency in CURRENCIES,
    }
    if not all(checks.values()):
        raise wrong(*(name for name, passed in checks.items() if not passed))
    return {
        "title": body["title"],
        "description": body.get("description"),
        "contact_id": contact_id,
        "responsible_id": responsible,
        "bidType": choice_of(BID_TYPES, body.get("bidType", 0)),
        "bidValue": plain(amount_of(body, "bidValue")),
        "currency": currency,
        "perPeriodValue": whole_of(body, "perPeriodValue"),
        "stage_id": stage_id,
        "successProbability": max(0, min(100, whole_of(body, "successProbability"))),
        "actualCloseDate": time_of(body.get("actualCloseDate")),
        "expectedCloseDate": time_of(body.get("expectedCloseDate")),
    }


def create_opportunity(desk: Desk, call: Call) -> Answer:
    """Create an opportunity; members, access and custom fields are written after it, in no transaction."""
    state = {**_opportunity_state(desk, call.body), "members": [], "access": [], "custom": {}}
    if desk.options["half_done"] == "yes":
        add(desk, "opportunity", call.body, state)
        return failure(500)
    members = known_contacts(desk, call.body, "members")
    primary = [state["contact_id"]] if state["contact_id"] else []
    state["members"] = list(dict.fromkeys([*members, *primary]))
    state["access"] = access_list(call.body)
    state["custom"] = custom_values(desk, call.body, "opportunity", {})
    return success(shapes.opportunity(desk, add(desk, "opportunity", call.body, state)), 201)


def update_opportunity(desk: Desk, call: Call) -> Answer:
    """Replace an opportunity: absent fields become empty or zero; absent members and custom fields stay."""
    old = found(desk, call, "opportunity")
    # Unlike create, update does not make the primary contact a member.
    members = known_contacts(desk, call.body, "members") or old.state["members"]
    state = {
        **_opportunity_state(desk, call.body),
        "members": members,
        "access": access_list(call.body),
        "custom": custom_values(desk, call.body, "opportunity", old.state["custom"]),
    }
    return success(shapes.opportunity(desk, change(desk, old, call.body, state)))


def delete_opportunity(desk: Desk, call: Call) -> Answer:
    """Delete an opportunity and answer what it was."""
    old = found(desk, call, "opportunity")
    shown = shapes.opportunity(desk, old)
    desk.store.remove(old)
    return success(shown)


def set_stage(desk: Desk, call: Call) -> Answer:
    """Move an opportunity to a stage.

    The route names its part {id} while the method's parameter is stageid (UpdateToDealMilestone), so the
    server reads the stage from the body or the query and not from the path; the option `stage_from` can
    make it read the path.
    """
    in_path = desk.options["stage_from"] == "path"
    stage_id = number(call, "stageid") if in_path else given(call, "stageid")
    if stage_id <= 0:
        raise wrong("stageid")
    old = found(desk, call, "opportunity")
    stage = listed("stage", stage_id)
    if stage is None:
        raise missing()
    closed = time_text(desk.store.now_ms()) if stage["stageType"] else ""
    probability = stage["successProbability"]
    changes = {"stage_id": stage_id, "successProbability": probability, "actualCloseDate": closed}
    return success(shapes.opportunity(desk, change(desk, old, old.sent, {**old.state, **changes})))


def add_member(desk: Desk, call: Call) -> Answer:
    """Make a contact a member of an opportunity and answer the opportunity."""
    old = found(desk, call, "opportunity")
    contact_id = int(found(desk, call, "contact", "contactid").id)
    members = list(dict.fromkeys([*old.state["members"], contact_id]))
    made = change(desk, old, old.sent, {**old.state, "members": members})
    return success(shapes.opportunity(desk, made), 201)
