"""Shopify. Special: the topic is in a header, and refunds, edits and consents only name what they are about.

Facts: shopify.dev, "Webhooks", and "Order", "Refund", "Checkout", "DraftOrder" and "Customer" of the REST Admin
API, whose JSON the webhooks carry. The order of arrival means nothing: one purchase sends create, paid and
updated within seconds. There is no topic for an abandoned checkout: it is one that stays uncompleted, and so its
lead waits.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from marshmallow.fields import Integer
from marshmallow.validate import Range

from mappings.families.shopify.dialect import (
    CHECKOUT_DELAY,
    CUSTOMER_TOPICS,
    IGNORED_TOPICS,
    ORDER_TOPICS,
    Dialect,
)
from mappings.families.shopify.leads import register_cart, register_customer
from mappings.families.shopify.orders import record_order
from mappings.protection import Hmac
from mappings.reading.bodies import read_object
from mappings.source import Renewal, SenderApi, Source

SHOPIFY = Dialect(sender="shopify", headers=("x-shopify-", "shopify-"), numbers=True, tells_checkouts=True)

_order = partial(record_order, SHOPIFY)
_customer = partial(register_customer, SHOPIFY)
_cart = partial(register_cart, SHOPIFY)

SOURCE = Source(
    type="shopify",
    media_types=frozenset({"application/json"}),
    read=read_object,
    name=SHOPIFY.name,
    handlers={
        **dict.fromkeys((*ORDER_TOPICS, "orders/edited", "refunds/create"), _order),
        **dict.fromkeys(CUSTOMER_TOPICS, _customer),
        "customers_email_marketing_consent/update": _customer,
        "customers_marketing_consent/update": _customer,
        "checkouts/create": _cart,
        "checkouts/update": _cart,
        "draft_orders/create": _cart,
        "draft_orders/update": _cart,
    },
    # "Events", which Shopify is changing over to, leave the X- out (its SDK, lib/webhooks/types.ts).
    signatures=(Hmac("x-shopify-hmac-sha256"), Hmac("shopify-hmac-sha256")),
    ignored=IGNORED_TOPICS
    | {
        "customers/data_request",
        "customers/redact",
        "draft_orders/delete",
        "fulfillment_events/create",
        "fulfillment_events/delete",
        "orders/risk_assessment_changed",
        "shop/redact",
    },
    options={
        "shop": str,
        "default_region": str,
        CHECKOUT_DELAY: Integer(strict=True, validate=Range(0, 7 * 24 * 60)),
    },
    event_header="x-shopify-topic",
    api=SenderApi(
        "https://{shop}/admin/api/2026-01",
        header="x-shopify-access-token",
        scheme="",
        is_optional=True,
        # "Client credentials grant": the only tokens of apps made since 2026; those of older ones do not end.
        renewal=Renewal("https://{shop}/admin/oauth/access_token", "client_credentials", timedelta(hours=24)),
    ),
    fetches=SHOPIFY.fetches,
)
