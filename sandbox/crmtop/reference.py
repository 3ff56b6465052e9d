"""Holds what the played CRMTop account has from the start: staff, units, groups and ticket types.

The reference prints no example of any of these; ids and names are invented. Users, organisational units,
product groups and units of measure have no list operation, so a client has to be told their ids.
"""

from collections.abc import Mapping

from sandbox.fields import Json


def _numbered(first_id: int, names: str) -> dict[str, Json]:
    return {
        str(first_id + place): {"id": first_id + place, "name": name, "note": None}
        for place, name in enumerate(names.split("|"))
    }


def _keyed(stem: str, names: str) -> dict[str, Json]:
    ids = {f"{stem}-0000-4000-8000-{place:012d}": name for place, name in enumerate(names.split("|"), 1)}
    return {key: {"id": key, "name": name, "note": None} for key, name in ids.items()}


BUILT_IN: Mapping[str, Mapping[str, Json]] = {
    "user": _keyed("a1a1a1a1", "Minh Sales|Lan Support|Quang Manager"),
    "org_unit": _keyed("b2b2b2b2", "Kinh doanh|Chăm sóc khách hàng"),
    "customer_group": _keyed("c3c3c3c3", "Khách lẻ|Khách sỉ|Đại lý"),
    "unit": _numbered(101, "Cái|Hộp|Thùng|Kg"),
    "product_group": _numbered(301, "Hàng hoá|Dịch vụ|Khác"),
    "ticket_type": _numbered(201, "Hỏi đáp|Khiếu nại|Bảo hành|Đổi trả|Giao hàng"),
}
#: The user in whose name the API acts.
API_USER: Json = next(iter(BUILT_IN["user"].values()))
