"""Tests the played CRMTop against its API reference."""

from collections.abc import Iterator

import pytest

from sandbox.crmtop.operations import OPERATIONS
from sandbox.store import Store
from tests.sandbox import crmtop_client as given
from tests.sandbox.crmtop_client import NOBODY, CrmTopClient, Json, crmtop

PAGE: Json = {"pageNumber": 1, "pageSize": 10, "search": ""}
FILE = {"FormFiles": ("anh.txt", b"12345", "text/plain")}


@pytest.fixture
def top() -> Iterator[CrmTopClient]:
    """A client of a sandbox with default options."""
    with crmtop() as client:
        yield client


def test_every_operation_answers_a_request_written_from_the_reference(top: CrmTopClient) -> None:
    """A client that follows the reference would be refused, or an operation would be missing."""
    ids = top.chain()
    own = given.request_bodies(ids)
    assert len({one.name for one in OPERATIONS}) == len(OPERATIONS) == 90
    made: dict[str, str] = {**ids, "campaign_member": "300001"}
    # What one operation makes another one needs; deletes come last.
    turns = {"create": 0, "add": 0, "save": 0, "comment": 0, "update": 1, "convert": 1, "delete": 3}
    for one in sorted(OPERATIONS, key=lambda one: turns.get(one.name.rpartition("_")[2], 2)):
        kind, _, word = one.name.rpartition("_")
        # activity_status means an activity, ticket_change_status a ticket.
        key = made.get(kind) or made.get(one.target.split("/")[0], "")
        target = one.target.format(id=key, status=3, productId=ids["product"])
        body = own.get(one.name, PAGE if word == "search" else {})
        if word == "update":
            body = {**own[f"{kind}_create"], ("Id" if one.name in given.IN_QUERY else "id"): made[kind]}
        if one.group in ("GET", "DELETE"):
            data = top.data(one.group, target)
        elif one.name in given.IN_QUERY:
            data = top.data(one.group, target, params=body)
        else:
            data = top.data(one.group, target, body)
        if word == "create":
            made[kind] = str(data)
        # Every search finds something by now; an empty page would mean that a filter went wrong.
        assert data["data"] if word == "search" else data, one.name


def test_the_envelopes_are_those_of_the_reference(top: CrmTopClient) -> None:
    """A client would be tested against bodies that the vendor never sends."""
    customer = top.send("POST", "customer/create", given.CUSTOMER).json()
    assert len(customer.pop("data")) == 36
    assert customer == {"success": True, "code": 200, "message": None, "errors": None, "meta": None}
    unit = top.data("POST", "product/crm/unit/create", {"name": "Lố"})
    kind = top.data("POST", "ticket/type/create", {"name": "Khác"})
    # Numbers of different kinds lie far apart, so that a swapped one is refused.
    assert (unit, kind) == (1001, 20001)
    page = top.data("POST", "customer/search", {})
    counts = {"currentPage": 1, "totalPages": 1, "totalCount": 1, "pageSize": 20}
    del page["data"]
    assert page == {**counts, "hasPreviousPage": False, "hasNextPage": False}
    missing = top.fails("GET", f"customer/get/{NOBODY}")
    assert (missing["code"], missing["errors"], missing["meta"]) == (404, None, None)


def test_a_get_shows_every_field_of_the_dto(top: CrmTopClient) -> None:
    """A client that reads, changes and writes back would lose what the answer left out."""
    ids = top.chain()
    lead = top.data("GET", f"lead/get/{ids['lead']}")
    assert lead == {**given.LEAD, "id": ids["lead"]}
    contact = top.data("GET", f"contact/get/{ids['contact']}")
    assert (len(contact), contact["nationalId"], contact["customerId"]) == (20, None, ids["customer"])
    ticket = top.data("GET", f"ticket/get/{ids['ticket']}")
    assert (ticket["typeId"], ticket["priority"], ticket["subject"]) == (205, 2, "Giao trễ")
    assert ticket["description"] == "Chưa nhận & chưa gọi + gấp"
    assert ticket["createdOn"].endswith("+07:00")
    top.data("POST", "segment/member/add", {"segmentId": ids["segment"], "type": 1, "ids": [ids["lead"]]})
    segment = top.data("GET", f"segment/get/{ids['segment']}")
    names = {"id", "name", "totalMember", "description", "createdBy", "createdByName", "createdOn"}
    assert (set(segment), segment["totalMember"]) == (names, 1)


def test_calls_need_a_token_that_lives(top: CrmTopClient) -> None:
    """A client without a token, with a made-up, a refresh or an expired one would seem to work."""
    good = top.header
    assert (top.tokens["expiration"], len(top.tokens)) == (3600, 3)
    refresh = f"Bearer {top.tokens['refreshToken']}"
    for header in ("", "Bearer made-up", refresh, good.removeprefix("Bearer ")):
        top.header = header
        answer = top.send("POST", "customer/create", given.CUSTOMER)
        assert (answer.status_code, answer.content) == (401, b""), header
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    wrong = {"clientId": given.SECRETS["client_id"], "clientSecret": "guess"}
    for body in (wrong, {}):
        assert top.fails("POST", "auth/get-token-for-develop", body)["code"] == 401
    top.header = good
    fault = {"vendor": "crmtop", "fault": "expire_token", "times": 1}
    assert top.http.post("/_sandbox/faults", json=fault).status_code == 201
    assert [top.send("POST", "lead/create", given.LEAD).status_code for _ in range(2)] == [401, 401]
    assert (top.count("customer"), top.count("lead")) == (0, 0)


def test_how_tokens_are_sent_and_end_can_be_chosen(moment: list[float], store: Store) -> None:
    """A client that misreads the unit of expiration, or never renews, would pass."""
    began, options = moment[0], {"expiration": "epoch", "auth_error": "envelope", "bare_header": "accept"}
    with crmtop(store, token_lifetime_s="1", **options) as top:
        assert top.tokens["expiration"] == began + 1
        top.header = top.header.removeprefix("Bearer ")
        assert top.make("lead", given.LEAD)
        moment[0] += 1.1
        assert top.fails("POST", "lead/create", given.LEAD)["code"] == 401
    moment[0] = began
    with crmtop(store, expiration="epoch_ms", token_lifetime_s="86400") as top:
        assert top.tokens["expiration"] == (began + 86400) * 1000


def test_wrong_fields_and_references_are_refused_and_leave_nothing(top: CrmTopClient) -> None:
    """A client's wrong bodies would pass the sandbox and fail only at the real vendor."""
    valid = {"customer": given.CUSTOMER, "contact": given.CONTACT, "lead": given.LEAD}
    valid |= {"opportunity": given.DEAL, "order/crm": given.ORDER, "product/crm": given.PRODUCT}
    valid["activity"] = given.ACTIVITY
    for path, change, name in given.WRONG:
        answer = top.fails("POST", f"{path}/create", {**valid[path], **change})
        assert (answer["code"], list(answer["errors"])) == (400, [name]), (path, change)
    assert top.http.get("/_sandbox/records").json()["count"] == 0
    assert top.fails("POST", "lead/search", {"pageSize": -1})["code"] == 400
    assert top.fails("GET", "lead/get/17")["code"] == 400
    assert top.fails("DELETE", "campaign/member/delete/abc")["code"] == 400
    assert top.fails("DELETE", f"lead/delete/{NOBODY}")["code"] == 404
    # A type that the account had from the start is in use.
    assert top.fails("DELETE", "ticket/type/205")["code"] == 400


def test_validation_errors_can_be_those_of_asp_net() -> None:
    """A client that looks only into the envelope would not survive the other form of errors."""
    with crmtop(error_style="problem") as top:
        answer = top.send("POST", "lead/create", {**given.LEAD, "source": "web", "notes": 1})
        assert answer.status_code == 400
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert (answer.json()["status"], set(answer.json()["errors"])) == (400, {"source", "notes"})
        assert top.send("GET", f"lead/get/{NOBODY}").status_code == 404


def test_what_is_not_routed_or_not_of_the_right_type_is_refused(top: CrmTopClient) -> None:
    """A misspelt path, a wrong verb or a form where JSON is due would look like a success."""
    assert top.send("POST", "leads/create", given.LEAD).status_code == 404
    assert top.send("POST", "lead/update", given.LEAD).status_code == 405
    assert top.send("POST", "lead/create", data={"fullName": "An"}).status_code == 415
    assert top.send("POST", "lead/create").status_code == 415
    assert top.send("POST", "ticket/create", {"subject": "x"}).status_code == 415
    headers = {"Content-Type": "application/json", "Authorization": top.header}
    half = top.http.post("/crmtop/api/v1/lead/create", content=b'{"fullName":', headers=headers)
    assert half.json()["code"] == 400
    assert (top.count("lead"), top.count("ticket")) == (0, 0)


def test_an_update_replaces_the_whole_record_or_merges() -> None:
    """A client that sends only what changed would wipe a record without any test noticing."""
    for update, phone in (("replace", None), ("merge", "0901234567")):
        with crmtop(update=update) as top:
            made = top.make("customer", given.CUSTOMER)
            change = {"id": made, "name": "An Bình 2", "note": "mới"}
            assert top.data("PUT", "customer/update", change) == made
            shown = top.data("GET", f"customer/get/{made}")
            assert {**shown, **change, "phone": phone} == shown
            for unknown in ({}, {"id": NOBODY}):
                assert top.fails("PUT", "customer/update", {**given.CUSTOMER, **unknown})["code"] == 404
            assert top.count("customer") == 1


@pytest.mark.parametrize(("choice", "count"), [("duplicate", 2), ("refuse", 1), ("update", 1)])
def test_a_second_create_with_the_same_code(choice: str, count: int) -> None:
    """A client without its own protection against duplicates would pass."""
    with crmtop(repeat_code=choice) as top:
        first = top.make("customer", given.CUSTOMER)
        again = top.send("POST", "customer/create", {**given.CUSTOMER, "name": "Lần hai"}).json()
        assert again["success"] is (choice != "refuse")
        assert (again["data"] == first) is (choice == "update")
        assert top.count("customer") == count
        # Without a code nothing can be recognised.
        for _ in range(2):
            top.make("lead", given.LEAD)
        assert top.count("lead") == 2


def test_the_id_of_the_client_counts_only_when_chosen() -> None:
    """A client that trusts its own ids would make a second record after each timeout."""
    sent = {**given.LEAD, "id": NOBODY}
    with crmtop() as top:
        assert NOBODY not in {top.make("lead", sent), top.make("lead", sent)}
        assert top.count("lead") == 2
    with crmtop(client_id_honoured="yes") as top:
        assert {top.make("lead", sent), top.make("lead", {**sent, "notes": "2"})} == {NOBODY}
        assert top.data("GET", f"lead/get/{NOBODY}")["notes"] == "2"
        zero = "00000000-0000-0000-0000-000000000000"
        assert top.make("lead", {**given.LEAD, "id": zero}) != zero
        assert top.make("ticket/type", {"id": 20001, "name": "A"}) == 20001
        assert top.make("ticket/type", {"name": "B"}) == 20002


@pytest.mark.parametrize("first", [1, 0])
def test_pages_lead_to_the_end(first: int) -> None:
    """A search for an earlier delivery would stop too early, or never."""
    with crmtop(first_page=str(first)) as top:
        ids = [top.make("lead", {**given.LEAD, "fullName": f"Khách {n}"}) for n in range(5)]
        seen: list[str] = []
        for place in range(3):
            body = {"pageNumber": first + place, "pageSize": 2, "search": "khách"}
            page = top.data("POST", "lead/search", body)
            seen += [item["id"] for item in page["data"]]
            assert (page["currentPage"], page["totalPages"], page["totalCount"]) == (first + place, 3, 5)
            assert (page["hasPreviousPage"], page["hasNextPage"]) == (place > 0, place < 2)
        assert seen == ids
        assert top.found("lead", pageNumber=first + 3, pageSize=2) == []
        # A page before the first is the first.
        assert top.data("POST", "lead/search", {"pageNumber": first - 1})["currentPage"] == first
        assert len(top.found("lead")) == 5


def test_search_filters_exclude_what_does_not_fit(top: CrmTopClient) -> None:
    """A filter that is ignored would hand a client somebody else's record."""
    ids = top.chain()
    top.make("customer", {**given.CUSTOMER, "code": "KH-10", "email": "hai.mua@example.com", "phone": "09"})
    # Part of a value is enough, so a client has to compare what it gets.
    assert len(top.found("customer", code="kh-1")) == len(top.found("customer", email="mua@example.com")) == 2
    for word in ("0901234567", "KH-10", "AN BÌNH", "0101234567"):
        assert top.found("customer", search=word), word
    assert top.found("customer", search="mua@example.com\n0101") == top.found("lead", search="từ web") == []
    of = {"customerId": ids["customer"]}
    assert [one["id"] for one in top.found("order/crm", **of, status=1)] == [ids["order"]]
    for path, filters in given.unfit(ids):
        assert top.found(path, **filters) == [], (path, filters)
    utc = {"fieldDate": "orderDate", "from": "2026-02-26T17:00:00+00:00", "to": given.MOMENT}
    assert [one["id"] for one in top.found("order/crm", **utc)] == [ids["order"]]
    assert top.fails("POST", "order/crm/search", {**utc, "fieldDate": "paidOn"})["code"] == 400
    with crmtop(search_match="exact") as exact:
        made = exact.make("customer", given.CUSTOMER)
        exact.make("customer", {**given.CUSTOMER, "code": "KH-10"})
        assert [one["id"] for one in exact.found("customer", code="KH-1")] == [made]


def test_search_lags_behind_but_a_get_does_not(moment: list[float], store: Store) -> None:
    """A client that takes an empty search for a proof of absence would pass."""
    with crmtop(store, search_lag_ms=1500) as top:
        made = top.make("lead", given.LEAD)
        assert top.data("GET", f"lead/get/{made}")["id"] == made
        assert top.found("lead", email="bich@example.com") == []
        assert len(top.found("ticket/type")) == 5
        moment[0] += 1.6
        assert [one["id"] for one in top.found("lead", email="bich@example.com")] == [made]


def test_what_the_account_has_from_the_start_is_listed(top: CrmTopClient) -> None:
    """A client could not look up ticket types and customer groups by name."""
    (late,) = top.found("ticket/type", search="giao hàng")
    assert late == {"id": 205, "name": "Giao hàng", "note": None}
    assert [one["name"] for one in top.found("customer/group")] == ["Khách lẻ", "Khách sỉ", "Đại lý"]
    top.data("PUT", "customer/group/update", {"id": given.GROUP, "name": "Sỉ", "note": "x"})
    assert [one["name"] for one in top.found("customer/group")] == ["Khách lẻ", "Đại lý", "Sỉ"]
    assert top.make("customer", given.CUSTOMER)
    assert top.http.delete("/_sandbox/records").json()["deleted"] == 2
    assert len(top.found("customer/group")) == 3


def test_fields_of_multipart_operations_stand_in_the_query(top: CrmTopClient) -> None:
    """A client that sends them in JSON or in the form would create an empty ticket at the real vendor."""
    two = [("FormFiles", ("a.txt", b"1", "text/plain")), ("FormFiles", ("b.txt", b"22", "text/plain"))]
    ticket = top.data("POST", "ticket/create", params={**given.TICKET, "OwnerId": ""}, files=two)
    shown = top.data("GET", f"ticket/get/{ticket}")
    assert (shown["formFiles"], shown["status"], shown["ownerId"]) == (["a.txt", "b.txt"], 1, None)
    for change, name in given.WRONG_TICKET:
        answer = top.fails("POST", "ticket/create", params={**given.TICKET, **change}, files=FILE)
        assert list(answer["errors"]) == [name], change
    in_form = top.fails("POST", "ticket/create", params=given.TICKET, data={"Subject": "x"}, files=FILE)
    assert list(in_form["errors"]) == ["form.Subject"]
    odd = {"FormFile": FILE["FormFiles"]}
    assert "file.FormFile" in top.fails("POST", "ticket/create", params=given.TICKET, files=odd)["errors"]
    assert top.count("ticket") == 1
    with crmtop(multipart_fields="form", ticket_files="FormFile") as form:
        ticket = form.data("POST", "ticket/create", data=given.TICKET, files=odd)
        assert form.data("GET", f"ticket/get/{ticket}")["typeId"] == 205
        assert "query.Code" in form.fails("POST", "ticket/create", params=given.TICKET, files=odd)["errors"]


def test_three_gets_change_something(top: CrmTopClient) -> None:
    """A client, proxy or cache that repeats a GET freely would do no harm in the sandbox."""
    ids = top.chain()
    for path in (f"activity/status/{ids['activity']}", f"ticket/change/status/{ids['ticket']}"):
        assert top.data("GET", f"{path}/4") is True
        for wrong in ("5", "0", "done"):
            assert top.fails("GET", f"{path}/{wrong}")["code"] == 400
    assert top.data("GET", f"activity/get/{ids['activity']}")["status"] == 4
    assert top.data("GET", f"ticket/get/{ids['ticket']}")["status"] == 4
    assert top.data("GET", f"lead/convert/{ids['lead']}") is True
    (customer,) = top.found("customer", email="bich@example.com")
    (contact,) = top.found("contact", email="bich@example.com")
    assert (customer["name"], customer["phone"]) == ("Bích Co", "0907654321")
    assert (contact["customerId"], contact["fullName"]) == (customer["id"], "Trần Bích")
    assert top.data("GET", f"lead/convert/{ids['lead']}") is True
    assert (top.count("customer"), top.count("contact")) == (3, 3)
    with crmtop(repeat_convert="refuse") as once:
        lead = once.make("lead", given.LEAD)
        assert once.data("GET", f"lead/convert/{lead}") is True
        assert once.fails("GET", f"lead/convert/{lead}")["code"] == 400
        assert (once.count("customer"), once.count("contact")) == (1, 1)


def test_members_are_added_by_uuid_and_deleted_by_number(top: CrmTopClient) -> None:
    """A client that deletes by the id it added would remove nobody, or somebody else."""
    ids = top.chain()
    other = top.make("segment", {"name": "Khác"})
    add: Json = {"segmentId": ids["segment"], "type": 1, "ids": [ids["lead"], ids["contact"]]}
    assert top.data("POST", "segment/member/add", add) is True
    for key, value in (("segmentId", NOBODY), ("segmentId", None), ("ids", [ids["order"]]), ("ids", [])):
        assert top.fails("POST", "segment/member/add", {**add, key: value})["code"] == 400
    # One unknown member of two: nobody is added.
    assert top.fails("POST", "segment/member/add", {**add, "ids": [ids["lead"], NOBODY]})["code"] == 400
    rows = top.found("segment/member", segmentId=ids["segment"])
    assert [row["id"] for row in rows] == [4000001, 4000002]
    assert top.found("segment/member", segmentId=other) == []
    for segment, numbers in ((other, [4000001]), (ids["segment"], [4000001, 300001]), (ids["segment"], [])):
        body: Json = {"segmentId": segment, "ids": numbers}
        assert top.fails("POST", "segment/member/delete", body)["code"] == 400
    top.data("POST", "segment/member/delete", {"segmentId": ids["segment"], "ids": [4000001]})
    assert [row["id"] for row in top.found("segment/member")] == [4000002]
    for choice, count in (("duplicate", 2), ("ignore", 1)):
        with crmtop(repeat_member=choice) as again:
            made = again.chain()
            for _ in range(2):
                body = {"campaignId": made["campaign"], "type": 1, "ids": [made["lead"]]}
                assert again.data("POST", "campaign/member/add", body) is True
            assert again.count("campaign_member") == count
            assert again.data("DELETE", "campaign/member/delete/300001") is True
            assert again.count("campaign_member") == count - 1


def test_comments_belong_to_a_ticket(top: CrmTopClient) -> None:
    """A comment could be lost, or appear twice without anybody noticing."""
    ids = top.chain()
    comment = {"TicketId": ids["ticket"], "UserId": given.USER, "UserName": "Minh", "Message": "Đã gọi"}
    for _ in range(2):
        top.data("POST", "ticket/send/comment", params=comment, files=FILE)
    found = top.found("ticket/comment", ticketId=ids["ticket"])
    assert [(one["message"], one["formFiles"]) for one in found] == [("Đã gọi", ["anh.txt"])] * 2
    assert top.found("ticket/comment", ticketId=NOBODY) == []
    for wrong in ({"TicketId": ""}, {"TicketId": NOBODY}, {"UserId": ids["lead"]}):
        assert top.fails("POST", "ticket/send/comment", params={**comment, **wrong})["code"] == 400
    assert top.count("ticket_comment") == 2


def test_orders_are_approved_and_printed_and_keep_their_products(top: CrmTopClient) -> None:
    """The lines of an order could change on their way without a test noticing."""
    order = top.make("order/crm", given.ORDER)
    assert top.data("POST", "order/crm/approve", {"id": order, "approve": True, "note": "ok"}) is True
    shown = top.data("GET", f"order/crm/get/{order}")
    assert (shown["approved"], shown["products"], shown["note"]) == (True, "2 x SP-1", None)
    assert [one["id"] for one in top.found("order/crm", approved=True)] == [order]
    assert "DH-1" in top.data("POST", "order/crm/print-a4", {"ids": [order]})
    assert top.fails("POST", "order/crm/approve", {"id": NOBODY})["code"] == 404
    assert top.fails("POST", "order/crm/print-8cm", {"ids": [NOBODY]})["code"] == 404
    with crmtop(products_format="json") as strict:
        for wrong in ("2 x SP-1", '{"productId": 1}', ""):
            answer = strict.fails("POST", "order/crm/create", {**given.ORDER, "products": wrong})
            assert list(answer["errors"]) == ["products"]
        made = strict.make("order/crm", {**given.ORDER, "products": '[{"code": "SP-1"}]'})
        body = {**given.ORDER, "id": made, "products": "x"}
        assert strict.fails("PUT", "order/crm/update", body)["code"] == 400
        assert strict.count("order") == 1


def test_units_are_created_changed_and_listed(top: CrmTopClient) -> None:
    """A product could be given a unit that does not exist, at first or by a later change."""
    product = top.make("product/crm", given.PRODUCT)
    dozen = top.data("POST", "product/crm/unit/create", {"id": 0, "name": "Tá"})
    assert top.data("POST", "product/crm/unit/create", {"id": dozen, "name": "Tá 12"}) == dozen
    assert top.fails("POST", "product/crm/unit/create", {"id": 9, "name": "x"})["code"] == 404
    unit: Json = {"productId": product, "unitId": dozen, "unitRate": 12.0, "entityState": None}
    assert top.data("POST", "product/crm/multi-unit/save", {"units": [unit]}) is True
    (row,) = top.data("GET", f"product/crm/multi-unit/{product}")
    assert (row["unitId"], row["unitRate"], row["note"], len(row)) == (dozen, 12.0, None, 10)
    top.data("POST", "product/crm/multi-unit/save", {"units": [{**row, "unitRate": 10.0}]})
    assert [one["unitRate"] for one in top.data("GET", f"product/crm/multi-unit/{product}")] == [10.0]
    for wrong in ({"unitId": 201}, {"productId": NOBODY}, {"productId": None}):
        for body in ({"units": [{**old, **wrong}]} for old in (unit, row)):
            assert top.fails("POST", "product/crm/multi-unit/save", body)["code"] == 400
    assert (top.count("unit"), top.count("product_unit")) == (1, 1)


def test_a_failure_can_come_with_http_200(top: CrmTopClient) -> None:
    """A client that looks only at the HTTP status would count a failure as a delivery."""
    fault = {"vendor": "crmtop", "operation": "lead_create", "fault": "success_false", "times": 1}
    assert top.http.post("/_sandbox/faults", json=fault).status_code == 201
    assert top.fails("POST", "lead/create", given.LEAD)["code"] == 500
    assert top.count("lead") == 0
    with crmtop(unknown_fields="ignore") as lenient:
        made = lenient.make("lead", {**given.LEAD, "utm": "x"})
        assert "utm" not in lenient.data("GET", f"lead/get/{made}")
