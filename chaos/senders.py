"""How the rig's senders prove who they are, written anew here: the product's own code would agree with itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from chaos.events import Post

#: The secrets of the senders, as the environment of a stand has them.
SECRETS: Mapping[str, str] = {
    "SHOP_SECRET": "chaos-shop-secret",
    "WOO_SECRET": "chaos-woo-secret",
    "INBOX_TOKEN": "chaos-inbox-token",
}
_SIGNED = {"shop": ("x-shopify-hmac-sha256", "SHOP_SECRET"), "woo": ("x-wc-webhook-signature", "WOO_SECRET")}


def signature_of(post: Post) -> dict[str, str]:
    """Return the header that signs the body; nothing for a sender that does not sign."""
    if post.source not in _SIGNED:
        return {}
    header, name = _SIGNED[post.source]
    digest = hmac.digest(SECRETS[name].encode(), post.body, hashlib.sha256)
    return {header: base64.b64encode(digest).decode()}


def address_of(post: Post) -> str:
    """Return the path to post to, with the token where the sender has one."""
    return f"/webhooks/{post.source}" + (f"?token={SECRETS['INBOX_TOKEN']}" if post.source == "inbox" else "")
