"""The senders that we understand, one line each; a new one is a file beside this and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.source import Source
from mappings.sources import (
    crisp,
    form,
    freshdesk,
    haravan,
    intercom,
    mailgun,
    postmark,
    sapo,
    sendgrid,
    shopify,
    woocommerce,
    zendesk,
)

SOURCES: Mapping[str, Source] = {
    "crisp": crisp.SOURCE,
    "form": form.SOURCE,
    "freshdesk": freshdesk.SOURCE,
    "haravan": haravan.SOURCE,
    "intercom": intercom.SOURCE,
    "mailgun": mailgun.SOURCE,
    "postmark": postmark.SOURCE,
    "sapo": sapo.SOURCE,
    "sendgrid": sendgrid.SOURCE,
    "shopify": shopify.SOURCE,
    "woocommerce": woocommerce.SOURCE,
    "zendesk": zendesk.SOURCE,
}
