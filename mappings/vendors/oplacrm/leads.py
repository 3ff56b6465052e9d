"""The lead of OplaCRM: for people who showed interest, and for requests where relay.toml wants it so."""

from __future__ import annotations

from collections.abc import Callable

from mappings.vendor import Record
from mappings.vendors.oplacrm import schemas
from mappings.vendors.oplacrm.customers import lead_phone
from mappings.writing.fields import FieldLedger
from mappings.writing.parties import Party, account_name, tell_name


def lead_of(ledger: FieldLedger, party: Party, note: Callable[[], str]) -> Record:
    """Return the lead of the ledger's command; `note` is called last, for what has no field of its own."""
    key = ledger.command.key
    said = {
        "name": tell_name(ledger, party, "lead.name"),
        "contact_name": tell_name(ledger, party, "lead.contact_name"),
        "account_name": account_name(ledger, party, "lead.account_name"),
        "address": ledger.address("lead.address"),
        "phone": lead_phone(ledger, party),
    }
    custom = [{"field": theirs, "value": value} for theirs, value in ledger.custom("lead")]
    # A creation names custom fields, an update has their ids.
    changed = [{"custom_field_id": theirs, "value": value} for theirs, value in ledger.custom("lead_update")]
    body = ledger.body("lead", schemas.Lead, **said, custom_fields=custom or None, note=note)
    changes = ledger.body(
        "lead", schemas.LeadChanges, **said, custom_fields=changed or None, note=body.get("note")
    )
    # The update does not know `external_id`: it is there for the look-up of what the lead holds by then.
    changes["external_id"] = key
    return Record("lead", key, body, {"external_id": key}, changes=changes)
