"""Holds what the played Overplane account has from the start: companies, stages, types, groups, currencies.

These entries are read and listed like records, but the account's own documents use them, so that they can
be neither changed nor deleted; a client may add entries of its own. All are invented save the stages, which
are those that the ERP behind Overplane installs.
"""

from collections.abc import Mapping

from sandbox.fields import Json

# The creation time that the reference shows in every sample.
FOUNDED = "2024-01-15T09:30:00Z"
CURRENCIES = frozenset("AUD BRL CAD CHF CNY COP CZK DKK EUR GBP INR JPY MXN NOK PLN SEK SGD USD VND".split())


def _entries(slug: str, first: int, *entries: Json) -> Mapping[str, Json]:
    return {
        f"{slug}_{first + place}": {**entry, "created_at": FOUNDED, "updated_at": FOUNDED}
        for place, entry in enumerate(entries)
    }


def _named(slug: str, first: int, field: str, names: str) -> Mapping[str, Json]:
    return _entries(slug, first, *({field: name} for name in names.split("|")))


def _grouped(slug: str, first: int, of: str, root: str, names: str) -> Mapping[str, Json]:
    above: Json = {f"{of}_name": root, "is_group": True}
    below = [
        {f"{of}_name": name, f"parent_{of}": root, "parent_id": f"{slug}_{first}"}
        for name in names.split("|")
    ]
    return _entries(slug, first, above, *below)


def _company(name: str, abbr: str, currency: str, country: str) -> Json:
    return {"company_name": name, "abbr": abbr, "default_currency": currency, "country": country}


# Kind -> id -> fields; all are equally old, so that a list sorted by creation keeps this order.
STANDING: Mapping[str, Mapping[str, Json]] = {
    "company": _entries(
        "company",
        101,
        _company("Example Corp", "EC", "USD", "United States"),
        _company("Example Handels GmbH", "EHG", "EUR", "Germany"),
        _company("Example Trading Ltd", "ETL", "GBP", "United Kingdom"),
    ),
    "sales_stage": _named(
        "sales-stage",
        201,
        "stage_name",
        "Prospecting|Qualification|Needs Analysis|Value Proposition|Identifying Decision Makers"
        "|Perception Analysis|Proposal/Price Quote|Negotiation/Review",
    ),
    "opportunity_type": _named("opportunity-type", 301, "description", "Sales|Support|Maintenance"),
    "opportunity_lost_reason": _named(
        "opportunity-lost-reason", 401, "lost_reason", "Price too high|No budget|Chose a competitor|No answer"
    ),
    "item_group": _grouped(
        "item-group", 501, "item_group", "All Item Groups", "Products|Services|Consumable"
    ),
    "territory": _grouped(
        "territory", 601, "territory", "All Territories", "United States|Germany|Rest Of The World"
    ),
    "customer_group": _grouped(
        "customer-group", 701, "customer_group", "All Customer Groups", "Commercial|Individual|Government"
    ),
}

# "This is a singleton resource" (Retrieve crm settings); the values are the printed defaults.
SETTINGS: Json = {
    "id": "c-r-m-settings_801",
    "created_at": FOUNDED,
    "updated_at": FOUNDED,
    "campaign_naming_by": "Campaign Name",
    "default_valid_till": "15",
    "allow_lead_duplication_based_on_emails": False,
    "auto_creation_of_contact": True,
    "close_opportunity_after_days": 15,
    "carry_forward_communication_and_comments": False,
    "update_timestamp_on_new_communication": False,
}
