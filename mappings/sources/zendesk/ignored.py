"""What Zendesk tells that no CRM needs: stored, answered with 200, not delivered.

From the documents that the `__init__.py` beside it names.
"""

from __future__ import annotations

IGNORED = frozenset(
    f"ticket.{change}"
    for change in """
    agent_assignment_changed attachment_linked_to_comment attachment_redacted_from_comment brand_changed
    ccs_changed comment_made_private comment_redacted custom_field_changed custom_status_changed
    description_changed external_id_changed followers_changed form_changed group_assignment_changed
    marked_as_spam merged organization_changed permanently_deleted problem_link_changed requester_changed
    schedule_changed soft_deleted submitter_changed tags_changed task_due_at_changed ticket_form_changed
    ticket_type_changed type_changed undeleted
    """.split()
)
