"""What Intercom tells that no CRM needs: stored, answered with 200, not delivered.

From the documents that the `__init__.py` beside it names.
"""

from __future__ import annotations

IGNORED = frozenset(
    """
    ping
    admin.away_mode.updated company.contact.attached company.contact.detached company.created company.deleted
    company.updated contact.archive contact.archived contact.attached_to_company contact.deleted
    contact.email.updated
    contact.lead.signed_up contact.lead.tag.created contact.lead.tag.deleted contact.merged
    contact.subscribed contact.unsubscribed contact.user.created contact.user.tag.created
    contact.user.tag.deleted contact.user.updated
    conversation.admin.assigned conversation.admin.noted conversation.admin.single.created
    conversation.admin.snoozed conversation.admin.unsnoozed conversation.contact.attached
    conversation.contact.detached conversation.deleted conversation.priority.updated
    conversation.rating.added conversation.rating.changed conversation.read
    conversation_part.redacted conversation_part.tag.created
    ticket.admin.assigned ticket.attribute.updated ticket.closed ticket.contact.attached
    ticket.contact.detached ticket.note.created ticket.rating.provided ticket.team.assigned
    """.split()
)
