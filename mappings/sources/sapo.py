"""Sapo, once Bizweb. Special: Shopify's topics and payloads, but its dates are called `…_on`.

Facts: the public client BizwebSharp (topics, header, names of fields), which several public receivers of Sapo
agree with. No document of Sapo shows a payload, so what may differ can be set: `topic_header` and `signature`.
"""

from __future__ import annotations

from functools import partial

from mappings.families.shopify.dialect import CUSTOMER_TOPICS, IGNORED_TOPICS, ORDER_TOPICS, Dialect
from mappings.families.shopify.leads import register_customer
from mappings.families.shopify.orders import record_order
from mappings.protection import Hmac
from mappings.reading.bodies import read_object
from mappings.source import SenderApi, Source

SAPO = Dialect(
    sender="sapo",
    headers=("x-sapo-", "x-bizweb-"),
    renamed={"created_at": "created_on", "updated_at": "modified_on", "cancelled_at": "cancelled_on"},
    family_name_first=True,
    shares_discounts=False,
)

SOURCE = Source(
    type="sapo",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=SAPO.name,
    handlers={
        **dict.fromkeys((*ORDER_TOPICS, "refunds/create"), partial(record_order, SAPO)),
        **dict.fromkeys(CUSTOMER_TOPICS, partial(register_customer, SAPO)),
    },
    signatures=(Hmac("x-sapo-hmac-sha256"), Hmac("x-bizweb-hmac-sha256")),
    # Carts are nobody's yet; their payloads are in no document.
    ignored=IGNORED_TOPICS
    | {f"customer_groups/{what}" for what in ("create", "delete", "update")}
    | {"checkouts/create", "checkouts/update"},
    options={"shop": str, "default_region": str, "topic_header": str},
    event_header="x-sapo-topic",
    api=SenderApi("https://{shop}/admin", header="x-sapo-access-token", scheme="", is_optional=True),
    fetches=SAPO.fetches,
)
