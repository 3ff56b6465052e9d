"""The senders that we understand, one line each; a new one is a file beside this and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.source import Source
from mappings.sources import (
    bigcommerce,
    cloudevents,
    form,
    generic,
    postmark,
    shopify,
    standard_webhooks,
    stripe,
    tiendanube,
)

SOURCES: Mapping[str, Source] = {
    "bigcommerce": bigcommerce.SOURCE,
    "cloudevents": cloudevents.SOURCE,
    "form": form.SOURCE,
    "generic": generic.SOURCE,
    "postmark": postmark.SOURCE,
    "shopify": shopify.SOURCE,
    "standard_webhooks": standard_webhooks.SOURCE,
    "stripe": stripe.SOURCE,
    "tiendanube": tiendanube.SOURCE,
}
