"""The operations of Overplane's API reference: objects with five operations each, and child objects.

The page of the opportunity prints its paths and, in its samples, their verbs. Of the child objects it prints
five paths in an order that is get-list, create, update, delete on the sibling pages, and no verb. The other
objects have pages of their own, so their paths can be set in relay.toml should an account differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema

from mappings.vendors.overplane import schemas
from mappings.writing.shape import update_of
from worker.vendors.overplane import requests as asked
from worker.vendors.vendor import Operation, Paging, table

#: No largest `limit` is printed; fewer than were asked for are no end, only `has_more` is.
PAGE = 100


def _is_last(answer: Any) -> bool:
    return isinstance(answer, Mapping) and answer.get("has_more") is False


_PAGES = Paging("offset", "limit", PAGE, is_last=_is_last)
_UNCLEAR = "the API reference prints its path, but neither its verb nor its body"


def _list(name: str, path: str, group: str, request: type[Schema], confirmed: bool) -> Operation:
    return Operation(
        name,
        "GET",
        path,
        group,
        request,
        confirmed=confirmed,
        sends="query",
        items="data",
        paging=_PAGES,
    )


def _writes(
    name: str, path: str, group: str, body: type[Schema], probe: str, confirmed: bool
) -> tuple[Operation, ...]:
    one = f"{path}/{{id}}"
    same: Mapping[str, Any] = {"changes": True, "confirmed": confirmed}
    again: Mapping[str, Any] = {**same, "repeatable": True, "probe": probe}
    return (
        Operation(f"{name}_create", "POST", path, group, body, probe=f"{name}_list", **same),
        # "Any parameters not provided will be left unchanged."
        Operation(f"{name}_update", "PATCH", one, group, update_of(body), **again),
        Operation(f"{name}_delete", "DELETE", one, group, **again),
    )


def _object(group: str, path: str, body: type[Schema], confirmed: bool = False) -> tuple[Operation, ...]:
    name = path.rpartition("/")[2].replace("-", "_")
    path = f"/api/{path}"
    return (
        Operation(f"{name}_get", "GET", f"{path}/{{id}}", group, confirmed=confirmed),
        _list(f"{name}_list", path, group, asked.Pages, confirmed),
        *_writes(name, path, group, body, f"{name}_get", confirmed),
    )


def _child(group: str, body: type[Schema]) -> tuple[Operation, ...]:
    name, path = group.replace("-", "_"), f"/api/crm/{group}"
    return (
        # The path is printed with its query, `?parent_id={id}`.
        _list(f"{name}_list", path, group, asked.ChildPages, confirmed=False),
        *_writes(name, path, group, body, f"{name}_list", confirmed=False),
        Operation(
            f"{name}_reorder",
            "POST",
            f"{path}/reorder",
            group,
            asked.Reorder,
            changes=True,
            repeatable=True,
            probe=f"{name}_list",
            unclear=_UNCLEAR,
        ),
    )


OPERATIONS = table(
    *_object("opportunity", "crm/opportunity", schemas.Opportunity, confirmed=True),
    *_child("opportunity-item", schemas.OpportunityItem),
    *_child("opportunity-lost-reason-detail", schemas.LostReasonDetail),
    *_object("crm", "crm/lead", schemas.Lead),
    *_object("crm", "crm/customer", schemas.Customer),
    *_object("crm", "crm/prospect", asked.Prospect),
    *_object("crm", "crm/sales-stage", asked.SalesStage),
    *_object("crm", "crm/opportunity-type", asked.OpportunityType),
    *_object("crm", "crm/opportunity-lost-reason", asked.LostReason),
    # "This is a singleton resource".
    Operation("crm_settings_get", "GET", "/api/crm/c-r-m-settings", "crm"),
    *_object("core", "core/contact", asked.Contact),
    *_object("stock", "stock/item", schemas.Item),
    *_object("setup", "setup/company", asked.Company),
    *_object("setup", "setup/item-group", asked.ItemGroup),
    *_object("setup", "setup/territory", asked.Territory),
    *_object("setup", "setup/customer-group", asked.CustomerGroup),
    *_object("support", "support/issue", schemas.Issue),
)
