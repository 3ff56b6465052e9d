"""The list of sources: a new one is one line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.source import Source
from mappings.sources import (
    calendly,
    contact_form_7,
    crisp,
    elementor,
    form,
    freshdesk,
    google_ads,
    google_forms,
    gravity_forms,
    haravan,
    hubspot,
    intercom,
    jotform,
    mailgun,
    meta_lead_ads,
    postmark,
    sapo,
    sendgrid,
    shopify,
    tally,
    typeform,
    webflow,
    woocommerce,
    wpforms,
    zendesk,
)

SOURCES: Mapping[str, Source] = {
    "calendly": calendly.SOURCE,
    "contact_form_7": contact_form_7.SOURCE,
    "crisp": crisp.SOURCE,
    "elementor": elementor.SOURCE,
    "form": form.SOURCE,
    "freshdesk": freshdesk.SOURCE,
    "google_ads": google_ads.SOURCE,
    "google_forms": google_forms.SOURCE,
    "gravity_forms": gravity_forms.SOURCE,
    "haravan": haravan.SOURCE,
    "hubspot": hubspot.SOURCE,
    "intercom": intercom.SOURCE,
    "jotform": jotform.SOURCE,
    "mailgun": mailgun.SOURCE,
    "meta_lead_ads": meta_lead_ads.SOURCE,
    "postmark": postmark.SOURCE,
    "sapo": sapo.SOURCE,
    "sendgrid": sendgrid.SOURCE,
    "shopify": shopify.SOURCE,
    "tally": tally.SOURCE,
    "typeform": typeform.SOURCE,
    "webflow": webflow.SOURCE,
    "woocommerce": woocommerce.SOURCE,
    "wpforms": wpforms.SOURCE,
    "zendesk": zendesk.SOURCE,
}
