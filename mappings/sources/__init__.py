"""The senders that we understand, one line each; a new one is a file beside this and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.source import Source
from mappings.sources import form, haravan, postmark, sapo, shopify, woocommerce

SOURCES: Mapping[str, Source] = {
    "form": form.SOURCE,
    "haravan": haravan.SOURCE,
    "postmark": postmark.SOURCE,
    "sapo": sapo.SOURCE,
    "shopify": shopify.SOURCE,
    "woocommerce": woocommerce.SOURCE,
}
