"""One valid body for each create, written by hand from the vendors' documents."""

from typing import Any

Json = dict[str, Any]

TOKEN = "opla-token"
CREDENTIALS = {
    "oplacrm": {"token": TOKEN},
    "centiacrm": {"email": "api@example.mx", "password": "secret"},
}

PHONE: Json = {"phone": "909080808", "call_code": "+84", "country_code": "VN", "country_name": "Vietnam"}
ADDRESS: Json = {
    "country": "MX",
    "state": "JAL",
    "street": "Av. Juárez",
    "number": "10",
    "interior_number": "",
    "zip": "44100",
    "suburb": "",
    "city": "Guadalajara",
}

ACCOUNT: Json = {
    "name": "Acme",
    "long_name": "",
    "description": "",
    "tax_identification_number": "0101",
    "email": "",
    "external_id": "A-1",
    "address": "",
    "phone": PHONE,
    "website": "",
    "is_public": False,
    "note": "",
    "account_type": "",
    "source_id": "",
    "industry_id": "",
    "owner_id": "EMP-001",
    "created_by": "",
    "updated_by": "",
}
CONTACT: Json = {
    "first_name": "Lan",
    "last_name": "Vo",
    "gender": "FEMALE",
    "email": "lan@example.com",
    "birthday": "",
    "department": "",
    "description": "",
    "account_external_id": "A-1",
    "external_id": "C-1",
    "address": "",
    "phone_work": PHONE,
    "phone_other": {},
    "website": "",
    "owner_id": "",
}
PRODUCT: Json = {
    "name": "Chair",
    "description": "",
    "price": 100,
    "supplier_id": "",
    "unit_of_measure_id": "",
    "category_id": "",
    "sub_category_id": "",
    "external_id": "P-1",
}
LINE: Json = {
    "product_external_id": "P-1",
    "unit_price": 100.5,
    "quantity": 2,
    "discount": 10,
    "currency": "VND",
}
OPPORTUNITY: Json = {
    "name": "Order 1",
    "account_external_id": "A-1",
    "account_id": "",
    "contacts_external_ids": ["C-1"],
    "contacts_ids": [],
    "date_open": "2026-03-01T10:00:00+00:00",
    "date_closed": "2026-03-31",
    "opportunities_products": [LINE],
    "forecast": "",
    "type": "",
    "source": "",
    "opportunities_joint": "",
    "sale_process": "Web",
    "sale_process_stage": "New",
    "contributors": [{"email": "x@example.com", "permission": "READ_ONLY"}],
    "external_id": "O-1",
    "owner_external_id": "EMP-001",
    "owner_email": "",
    "application": "",
    "custom_fields": [],
}
OPPORTUNITY_UPDATE: Json = {
    "name": "Order 1b",
    "external_id": "O-1",
    "locked": False,
    "sale_process_stage": "Quoted",
    "close_reason": "",
    "date_closed": "2026-04-30",
    "products": [],
    "opportunities_products": [
        {**{k: LINE[k] for k in ("product_external_id", "unit_price")}, "quantity": 4}
    ],
    "invoices": [],
    "custom_fields": [],
}
LEAD: Json = {
    "name": "John Smith",
    "account_name": "Acme Corporation",
    "gender": "MALE",
    "phone": {"country_code": "+1", "number": "5551234567"},
    "email": "john.smith@acme.com",
    "external_id": "L-1",
    "custom_fields": [{"field": "industry", "value": "Technology"}],
}

COMPANY: Json = {
    "profile_id": 1,
    "name": "Muebles SA",
    "type_id": 51,
    "industry_id": 71,
    "rfc": "MUE010101AAA",
}
PERSON: Json = {
    "profile_id": 1,
    "name": "Eva",
    "surname": "Ruiz",
    "origin_id": 111,
    "email": "eva@example.mx",
}
GOOD: Json = {
    "profile_id": 1,
    "name": "Silla",
    "value": 99.9,
    "sku": "S-1",
    "taxes": [291],
    "inputs": {"color": "azul"},
}
DEAL: Json = {
    "profile_id": 1,
    "user_id": 31,
    "title": "Pedido #EXT-1",
    "value": 231.77,
    "estimated_end_at": "31/03/26",
    "prospect_type": "new",
    "operation_type": "new",
    "stage_id": 11,
    "want_products": True,
    "want_tax": True,
    "notify": False,
}
TICKET: Json = {
    "profile_id": 1,
    "title": "Ayuda #EXT-2",
    "description": "No llegó",
    "user_id": 31,
    "origin_id": 351,
    "case_id": 371,
    "priority_id": 391,
    "estimated_end_at": "2026-03-31",
    "notify": False,
}
