"""How ONLYOFFICE's records are read back, and which field of an answer holds what a request said.

Answers have other names than requests, here in lower case (see `answers`), and leave out what is empty.
"""

from __future__ import annotations

from collections.abc import Mapping

from worker.vendors.read_back import everything, read_by_id
from worker.vendors.vendor import Proof


def _same(names: str) -> dict[str, str]:
    return {name: name.lower() for name in names.split()}


_CONTACT = read_by_id("contact_get")
_ENTITY = {"contactId": "contact.id", "entityId": "entity.entityid"}

#: By kind; what lists those that bear our key is added where the kinds are.
PROOFS: Mapping[str, Proof] = {
    "company": Proof(_CONTACT, lean=True, names=_same("companyName")),
    "person": Proof(
        _CONTACT,
        lean=True,
        names={**_same("firstName lastName about"), "companyId": "company.id", "jobTitle": "title"},
    ),
    "contact_info": Proof(
        everywhere=everything("contact_info_list", {"id": "body.id"}).of,
        whole=True,
        lean=True,
        names={**_same("infoType data"), "category": "categoryname"},
    ),
    "contact_status": Proof(cannot="a contact's status is no record, and sales people move it"),
    "tag": Proof(cannot="a tag is no record, and people take it off"),
    "member": Proof(cannot="that a contact takes part in an opportunity is no record"),
    "history": Proof(
        whole=True, lean=True, names={**_same("content created"), **_ENTITY, "categoryId": "category.id"}
    ),
    "opportunity": Proof(
        read_by_id("opportunity_get"),
        whole=True,
        lean=True,
        names={
            **_same("title description bidType bidValue successProbability"),
            **_same("actualCloseDate expectedCloseDate"),
            "contactid": "contact.id",
            "members": "members[].id",
            "responsibleid": "responsible.id",
            "bidCurrencyAbbr": "bidcurrency.abbreviation",
            "stageid": "stage.id",
        },
    ),
    "case": Proof(
        read_by_id("case_get"),
        whole=True,
        lean=True,
        names={**_same("title"), "members": "members[].id", "closed": "isclosed"},
    ),
    "task": Proof(
        whole=True,
        lean=True,
        names={
            **_same("title deadline"),
            **_ENTITY,
            "responsibleId": "responsible.id",
            "categoryId": "category.id",
            "closed": "isclosed",
        },
    ),
    "invoice_item": Proof(
        everywhere=everything("invoiceitem_filter").of,
        whole=True,
        lean=True,
        names={**_same("title price description"), "sku": "stockkeepingunit"},
    ),
    "invoice": Proof(
        everywhere=everything("invoice_filter").of,
        whole=True,
        lean=True,
        names={
            **_same("number issueDate dueDate language purchaseOrderNumber terms description exchangeRate"),
            **_ENTITY,
            "currency": "currency.abbreviation",
        },
    ),
}
