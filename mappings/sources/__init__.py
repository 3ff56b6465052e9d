"""The senders that we understand, one line each; a new one is a file beside this and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.source import Source
from mappings.sources import (
    contact_form_7,
    elementor,
    form,
    google_forms,
    gravity_forms,
    jotform,
    postmark,
    shopify,
    wpforms,
)

SOURCES: Mapping[str, Source] = {
    "contact_form_7": contact_form_7.SOURCE,
    "elementor": elementor.SOURCE,
    "form": form.SOURCE,
    "google_forms": google_forms.SOURCE,
    "gravity_forms": gravity_forms.SOURCE,
    "jotform": jotform.SOURCE,
    "postmark": postmark.SOURCE,
    "shopify": shopify.SOURCE,
    "wpforms": wpforms.SOURCE,
}
