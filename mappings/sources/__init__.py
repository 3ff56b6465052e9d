"""The list of sources: a new one is one line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.source import Source
from mappings.sources import (
    calendly,
    contact_form_7,
    elementor,
    form,
    google_ads,
    google_forms,
    gravity_forms,
    haravan,
    hubspot,
    jotform,
    meta_lead_ads,
    postmark,
    sapo,
    shopify,
    tally,
    typeform,
    webflow,
    woocommerce,
    wpforms,
)

SOURCES: Mapping[str, Source] = {
    "calendly": calendly.SOURCE,
    "contact_form_7": contact_form_7.SOURCE,
    "elementor": elementor.SOURCE,
    "form": form.SOURCE,
    "google_ads": google_ads.SOURCE,
    "google_forms": google_forms.SOURCE,
    "gravity_forms": gravity_forms.SOURCE,
    "haravan": haravan.SOURCE,
    "hubspot": hubspot.SOURCE,
    "jotform": jotform.SOURCE,
    "meta_lead_ads": meta_lead_ads.SOURCE,
    "postmark": postmark.SOURCE,
    "sapo": sapo.SOURCE,
    "shopify": shopify.SOURCE,
    "tally": tally.SOURCE,
    "typeform": typeform.SOURCE,
    "webflow": webflow.SOURCE,
    "woocommerce": woocommerce.SOURCE,
    "wpforms": wpforms.SOURCE,
}
