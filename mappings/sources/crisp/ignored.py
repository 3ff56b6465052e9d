"""What Crisp tells that no CRM needs: stored, answered with 200, not delivered.

From the documents that the `__init__.py` beside it names.
"""

from __future__ import annotations

IGNORED = frozenset(
    """
    message:acknowledge:delivered message:acknowledge:ignored message:acknowledge:read:received
    message:acknowledge:read:send message:compose:receive message:compose:send message:notify:unread:receive
    message:notify:unread:send message:removed message:updated
    people:bind:session people:profile:created people:profile:removed people:profile:updated
    people:sync:profile session:error session:removed session:request:initiated session:set_address
    session:set_avatar session:set_block session:set_data session:set_device session:set_email
    session:set_hold session:set_inbox session:set_mentions session:set_nickname session:set_opened
    session:set_participants session:set_phone session:set_referrer session:set_routing session:set_segments
    session:set_subject session:set_verify session:sync:capabilities session:sync:events session:sync:geolocation
    session:sync:locales session:sync:network session:sync:pages session:sync:rating session:sync:system
    session:sync:topic session:sync:verify
    """.split()
)
