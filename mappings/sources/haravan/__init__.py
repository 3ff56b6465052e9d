"""Haravan. Special: Shopify's topics and payloads, unnumbered, with JSON numbers for money and Vietnam's addresses.

Facts: docs.haravan.com, "Private webhook" (settings, header), "Connect webhook" (challenge) and "Order".
"""

from __future__ import annotations

from functools import partial

from mappings.families.shopify.dialect import CUSTOMER_TOPICS, IGNORED_TOPICS, ORDER_TOPICS, Dialect
from mappings.families.shopify.leads import register_customer
from mappings.families.shopify.orders import record_order
from mappings.protection import Challenge, Hmac
from mappings.reading.bodies import read_object
from mappings.source import SenderApi, Source
from mappings.sources.haravan.orders import with_advert

HARAVAN = Dialect(
    sender="haravan",
    headers=("x-haravan-",),
    family_name_first=True,
    # Whoever buys at a counter without an account; else all of them would be one customer.
    nobody=frozenset({"guest@haravan.com"}),
    shares_discounts=False,
)

SOURCE = Source(
    type="haravan",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=HARAVAN.name,
    handlers={
        **dict.fromkeys((*ORDER_TOPICS, "refunds/create"), partial(with_advert, record_order, HARAVAN)),
        **dict.fromkeys(CUSTOMER_TOPICS, partial(register_customer, HARAVAN)),
    },
    signatures=(Hmac("x-haravan-hmacsha256"),),
    # Carts are nobody's yet; their payloads are in no document.
    ignored=IGNORED_TOPICS | {"checkouts/create", "checkouts/update", "user/update"},
    options={"default_region": str, "topic_header": str},
    event_header="x-haravan-topic",
    # Whether hub.mode comes with it is not documented, so that there is a challenge is enough.
    challenge=Challenge("hub.challenge", "hub.verify_token"),
    api=SenderApi("https://apis.haravan.com/com", is_optional=True),
    fetches=HARAVAN.fetches,
)
