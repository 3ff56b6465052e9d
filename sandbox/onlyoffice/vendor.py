"""Plays the CRM of ONLYOFFICE Workspace over HTTP: its paths, its token, its envelope.

The vendor's document prints one operation, "Create an opportunity"; the others, what is required and what is
answered follow the source of the server (ONLYOFFICE/CommunityServer, module/ASC.Api).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from sandbox.fields import Complaint, Field
from sandbox.onlyoffice import account, contacts, deals, invoices, searches, work
from sandbox.onlyoffice import fields as f
from sandbox.onlyoffice.answers import failure, wrong
from sandbox.onlyoffice.demands import Action
from sandbox.onlyoffice.filters import FILTERS, filtered
from sandbox.onlyoffice.records import KINDS
from sandbox.onlyoffice.searches import listing, read
from sandbox.rest import RestVendor
from sandbox.vendor import Answer, Call, Inbound, Operation, Refused

DEAL = "opportunity/{id}"
PERSON = "contact/{id}"


def _crm(name: str, verb: str, path: str, action: Action, fields: tuple[Field, ...] = ()) -> Operation:
    return Operation(name, verb, f"crm/{path}", action, fields)


# Paths of fixed parts stand before those with an {id} that would also match them.
OPERATIONS = (
    Operation("auth_token", "POST", "authentication", account.login, f.LOGIN, needs_token=False),
    Operation("people_self", "GET", "people/@self", account.myself),
    Operation("people_by_email", "GET", "people/email", account.by_email),
    *(_crm(f"{name}_filter", "GET", f"{name}/filter", filtered(how)) for name, how in FILTERS.items()),
    _crm(
        "opportunity_by_contact",
        "GET",
        "opportunity/bycontact/{contactid}",
        searches.opportunities_of_contact,
    ),
    _crm("opportunity_by_prefix", "GET", "opportunity/byprefix", searches.opportunities_by_prefix),
    _crm("opportunity_stage_list", "GET", "opportunity/stage", listing("stage")),
    _crm("opportunity_create", "POST", "opportunity", deals.create_opportunity, f.OPPORTUNITY),
    _crm("opportunity_get", "GET", DEAL, read("opportunity")),
    _crm("opportunity_update", "PUT", DEAL, deals.update_opportunity, f.OPPORTUNITY),
    _crm("opportunity_delete", "DELETE", DEAL, deals.delete_opportunity),
    _crm("opportunity_set_stage", "PUT", f"{DEAL}/stage/{{stageid}}", deals.set_stage, f.SET_STAGE),
    _crm("opportunity_add_contact", "POST", f"{DEAL}/contact/{{contactid}}", deals.add_member),
    _crm("contact_by_contact_info", "GET", "contact/bycontactinfo", searches.contacts_by_info),
    _crm("contact_status_list", "GET", "contact/status", listing("status")),
    _crm("contact_type_list", "GET", "contact/type", listing("type")),
    _crm("person_create", "POST", "contact/person", contacts.create_person, f.PERSON),
    _crm("company_create", "POST", "contact/company", contacts.create_company, f.COMPANY),
    _crm("contact_get", "GET", PERSON, read("contact")),
    _crm("contact_set_status", "PUT", f"{PERSON}/status", contacts.set_status, f.SET_STATUS),
    _crm("contact_info_add", "POST", f"{PERSON}/data", contacts.add_info, f.CONTACT_INFO),
    _crm("contact_info_batch", "POST", f"{PERSON}/batch", contacts.add_infos, f.INFO_BATCH),
    _crm("contact_info_list", "GET", f"{PERSON}/data", searches.infos_of_contact),
    _crm("case_create", "POST", "case", work.create_case, f.CASE),
    _crm("case_get", "GET", "case/{id}", read("case")),
    _crm("case_update", "PUT", "case/{id}", work.update_case, f.CASE),
    _crm("case_close", "PUT", "case/{id}/close", work.close("case", closed=True)),
    _crm("case_reopen", "PUT", "case/{id}/reopen", work.close("case", closed=False)),
    _crm("task_category_list", "GET", "task/category", listing("task_category")),
    _crm("task_create", "POST", "task", work.create_task, f.TASK),
    _crm("task_close", "PUT", "task/{id}/close", work.close("task", closed=True)),
    _crm("history_category_list", "GET", "history/category", listing("history_category")),
    _crm("history_add", "POST", "history", work.add_history, f.HISTORY),
    _crm("currency_list", "GET", "settings/currency", account.currencies),
    _crm("invoiceitem_create", "POST", "invoiceitem", invoices.create_invoice_item, f.INVOICE_ITEM),
    _crm("invoice_create", "POST", "invoice", invoices.create_invoice, f.INVOICE),
    _crm(
        "customfield_definitions", "GET", "{entityType}/customfield/definitions", account.custom_definitions
    ),
    _crm(
        "customfield_set",
        "POST",
        "{entityType}/{entityid}/customfield/{fieldid}",
        work.set_custom_value,
        f.CUSTOM_VALUE,
    ),
    _crm("tag_add", "POST", "{entityType}/{entityid}/tag", work.add_tag, f.TAG),
    _crm("tag_list", "GET", "{entityType}/tag/{entityid}", searches.tags_of_entity),
    _crm("invoice_by_entity", "GET", "{entityType}/invoicelist/{entityid}", searches.invoices_of_entity),
)


class OnlyOffice(RestVendor):
    """ONLYOFFICE as its document and its source describe it: 201 for every POST, one envelope for all."""

    name = "onlyoffice"
    prefix = ("api", "2.0")
    kinds = KINDS
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "two_factor": ("off", "sms", "tfa"),
        "token_lifetime": tuple(account.LIFETIMES),
        "bad_login": ("http500", "http401"),
        "half_done": ("no", "yes"),
        "customfield_unknown": ("skip", "refuse"),
        "unknown_references": ("skip", "refuse"),
        "next_index": ("skips_one", "exact"),
        "stage_from": ("body", "path"),
        "crm_admin": ("yes", "no"),
    }
    credential_keys = ("email", "password")
    operations = OPERATIONS

    def match(self, inbound: Inbound) -> Call | None:
        """Find the operation; names in query and body count whatever their case."""
        call = super().match(inbound)
        if call is None:
            return None
        query = {name.lower(): value for name, value in call.query.items()}
        return replace(call, query=query, body=f.bound(call.operation.fields, call.body))

    def accepts(self, inbound: Inbound) -> bool:
        """Say whether the Authorization header is a token that was issued and has not expired."""
        return account.is_valid(self.desk, inbound.authorization)

    def unknown(self, inbound: Inbound) -> Answer:
        """Answer 404 for an address that no method of the server has."""
        return failure(404, "Method not found")

    def refusal(self, refused: Refused) -> Answer:
        """Put a refusal into the envelope; 401 is always the server's plain text."""
        return self.unauthorised() if refused.status == 401 else failure(refused.status, refused.messages[0])

    def unauthorised(self) -> Answer:
        """Answer the one error that is no JSON (ErrorHttpHandler)."""
        return Answer(401, "Unauthorized", "text/plain")

    def expire_token(self) -> None:
        """Forget all issued tokens, so that this request and later ones need a new login."""
        self.desk.store.forget_tokens(self.name)

    def failure_in_success(self) -> Answer:
        """Answer HTTP 200 with an envelope that says that the call failed."""
        return replace(failure(500), status=200)

    def complain(self, complaints: Sequence[Complaint]) -> Refused:
        """Word complaints as the .NET argument exception that they are."""
        return wrong(*(f"{one.path} {one.phrase}" for one in complaints))
