"""The senders that we understand, one line each; a new one is a file beside this and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.source import Source
from mappings.sources import (
    calendly,
    form,
    google_ads,
    haravan,
    hubspot,
    meta_lead_ads,
    postmark,
    sapo,
    shopify,
    tally,
    typeform,
    webflow,
    woocommerce,
)

SOURCES: Mapping[str, Source] = {
    "calendly": calendly.SOURCE,
    "form": form.SOURCE,
    "google_ads": google_ads.SOURCE,
    "haravan": haravan.SOURCE,
    "hubspot": hubspot.SOURCE,
    "meta_lead_ads": meta_lead_ads.SOURCE,
    "postmark": postmark.SOURCE,
    "sapo": sapo.SOURCE,
    "shopify": shopify.SOURCE,
    "tally": tally.SOURCE,
    "typeform": typeform.SOURCE,
    "webflow": webflow.SOURCE,
    "woocommerce": woocommerce.SOURCE,
}
