"""The senders that we understand, one line each; a new one is a file beside this and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.source import Source
from mappings.sources import (
    calendly,
    form,
    google_ads,
    hubspot,
    meta_lead_ads,
    postmark,
    shopify,
    tally,
    typeform,
    webflow,
)

SOURCES: Mapping[str, Source] = {
    "calendly": calendly.SOURCE,
    "form": form.SOURCE,
    "google_ads": google_ads.SOURCE,
    "hubspot": hubspot.SOURCE,
    "meta_lead_ads": meta_lead_ads.SOURCE,
    "postmark": postmark.SOURCE,
    "shopify": shopify.SOURCE,
    "tally": tally.SOURCE,
    "typeform": typeform.SOURCE,
    "webflow": webflow.SOURCE,
}
