"""The bodies that Overplane documents, and the values that its connection may hold.

The fields of the opportunity and its child objects are those of the samples in the API reference, whose lists
of attributes have lost their names; the others are those of the reference's further pages. Required are the
fields that the samples of a create send, which the pages mark so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, post_load, validate

from mappings.vendor import Named
from mappings.writing.shape import Entry, shape, update_of

#: "opportunity_abc123": ids are texts that begin with the last part of their path.
_ID = re.compile(r"[a-z-]+_[A-Za-z0-9]+\Z")


def _word(default: str) -> fields.String:
    return fields.String(load_default=default, validate=validate.Length(min=1))


def _choice(*choices: str) -> fields.String:
    return fields.String(load_default=choices[0], validate=validate.OneOf(choices))


def _entry(of_list: str, **kwargs: Any) -> Entry:
    return Entry(of_list, ids=_ID, **kwargs)


def _percent(default: int) -> fields.Integer:
    return fields.Integer(strict=True, load_default=default, validate=validate.Range(0, 100))


class Values(Schema):
    """`[connections.X.values]`: first the decisions that the API reference leaves open, then the defaults."""

    # Objects name entries of lists as the printed default of `sales_stage` does ("Prospecting"), or by id;
    # "text" sends what stands here unread, for an account without the lists.
    entries_by = _choice("name", "id", "text")
    # What `party_name` holds: the customer's id or, despite the ids, its name.
    party_name_is = _choice("id", "name")
    lead_as = _choice("lead", "opportunity")
    # A lead has no field for a longer text: "issue" keeps the whole message in an issue of the lead.
    lead_message = _choice("title", "issue")
    # Whether the account has one lead for an e-mail address; "ask" reads that from its CRM settings.
    lead_emails = _choice("ask", "one", "many")
    tickets = _choice("issue", "opportunity")
    ticket_customer = fields.Boolean(load_default=False)
    # Whether the `item_code` of a line must be an item of the account.
    items = _choice("free", "create")
    check_total = fields.Boolean(load_default=True)
    status_open = _word("Open")
    status_won = _word("Converted")
    status_lost = _word("Lost")
    # Status of a ticket → the account's word for it.
    ticket_statuses = fields.Dict(
        keys=fields.String(validate=validate.OneOf(["open", "pending", "solved"])),
        values=fields.String(),
        load_default=lambda: {"open": "Open", "pending": "Replied", "solved": "Closed"},
    )

    company = _entry("companies", required=True)
    owner = fields.String()
    stage = _entry("stages")
    # Status of an order ("paid") → sales stage.
    stages = fields.Dict(keys=fields.String(), values=_entry("stages"))
    opportunity_type = _entry("opportunity types")
    lead_opportunity_type = _entry("opportunity types")
    ticket_opportunity_type = _entry("opportunity types")
    lost_reason = _entry("lost reasons")
    # Reason as the sender words it → the account's lost reason.
    lost_reasons = fields.Dict(keys=fields.String(), values=_entry("lost reasons"))
    territory = _entry("territories")
    customer_group = _entry("customer groups")
    item_group = _entry("item groups")
    stock_uom = fields.String()
    # The printed default is 100, which would make every open order as good as won.
    probability = _percent(50)
    lead_probability = _percent(10)
    lead_status = fields.String()
    priority = fields.String()
    # Priority as the sender words it → the account's.
    priorities = fields.Dict(keys=fields.String(), values=fields.String())
    issue_type = fields.String()
    # The sender's country ("VN") → the account's name of it.
    countries = fields.Dict(keys=fields.String(), values=fields.String())
    anonymous_customer = _word("Web shop customer")
    close_days = fields.Integer(strict=True, load_default=30, validate=validate.Range(0, 3650))
    ticket_days = fields.Integer(strict=True, load_default=3, validate=validate.Range(0, 3650))
    # No length is documented; 250 fits the usual column of 255 characters.
    title_length = fields.Integer(strict=True, load_default=250, validate=validate.Range(100, 5000))
    default_region = fields.String(validate=validate.Length(equal=2))

    @post_load
    def _named_as_objects_want_it(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: _as(values["entries_by"], value) for key, value in values.items()}


def _as(entries_by: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {word: _as(entries_by, inner) for word, inner in value.items()}
    if not isinstance(value, Named) or entries_by == "name":
        return value
    return value.name if entries_by == "text" else Named(f"{value.list} by id", value.name, value.key)


_UTM = "utm_source utm_campaign utm_medium utm_content"
_CAMPAIGN = {
    "utm_campaign": "attributes.utm_campaign",
    "utm_medium": "attributes.utm_medium",
    "utm_content": "key",
}

Opportunity = shape(
    "Opportunity",
    required="opportunity_from party_name company transaction_date",
    key="party_name company sales_stage opportunity_type territory customer_group contact_person",
    text="opportunity_from customer_name title status order_lost_reason currency customer_address"
    " address_display contact_display contact_email contact_mobile language no_of_employees industry"
    f" market_segment opportunity_owner website whatsapp phone phone_ext job_title city state country {_UTM}",
    day="transaction_date expected_closing",
    number="opportunity_amount probability base_opportunity_amount base_total total conversion_rate"
    " annual_revenue",
    integer="first_response_time",
    sources={
        "company": "values.company",
        "opportunity_owner": "values.owner",
        "territory": "values.territory",
        "contact_email": "person.email",
        "language": "person.language",
        "city": "person.address.city",
        "state": "person.address.region",
        "job_title": "attributes.job_title",
        **_CAMPAIGN,
    },
)
OpportunityChanges = update_of(Opportunity)

OpportunityItem = shape(
    "OpportunityItem",
    required="opportunity_id",
    key="opportunity_id item_group",
    text="item_code brand uom item_name description image image_view",
    number="qty rate base_amount amount base_rate",
    integer="idx",
    sources={"item_group": "values.item_group", "uom": "values.stock_uom"},
)
OpportunityItemChanges = update_of(OpportunityItem)

LostReasonDetail = shape(
    "OpportunityLostReasonDetail", required="opportunity_id", key="opportunity_id lost_reason", integer="idx"
)
LostReasonDetailChanges = update_of(LostReasonDetail)

Lead = shape(
    "Lead",
    key="company territory customer",
    text="lead_name company_name lead_owner status salutation gender image phone mobile_no email_id fax type"
    " market_segment industry request_type website title language first_name middle_name last_name"
    " no_of_employees whatsapp_no phone_ext qualified_by qualified_on qualification_status job_title city"
    f" state country {_UTM}",
    number="annual_revenue",
    boolean="unsubscribed blog_subscriber disabled",
    sources={
        "company": "values.company",
        "territory": "values.territory",
        "lead_owner": "values.owner",
        "status": "values.lead_status",
        "company_name": "person.company",
        "first_name": "person.first_name",
        "last_name": "person.last_name",
        "email_id": "person.email",
        "language": "person.language",
        "city": "person.address.city",
        "state": "person.address.region",
        "job_title": "attributes.job_title",
        **_CAMPAIGN,
    },
)
LeadChanges = update_of(Lead)

Customer = shape(
    "Customer",
    required="customer_name",
    key="customer_group territory lead_name prospect_name",
    text="customer_name gender customer_type default_bank_account image account_manager tax_id tax_category"
    " represents_company default_currency default_price_list language website customer_primary_contact"
    " mobile_no email_id customer_primary_address primary_address payment_terms customer_details"
    " market_segment industry loyalty_program loyalty_program_tier default_sales_partner customer_pos_id"
    " tax_withholding_category opportunity_name first_name last_name tax_withholding_group",
    number="default_commission_rate",
    boolean="disabled is_internal_customer is_frozen so_required dn_required",
    sources={
        "customer_group": "values.customer_group",
        "territory": "values.territory",
        "tax_id": "attributes.tax_number",
        "language": "person.language",
    },
)

Item = shape(
    "Item",
    required="item_code item_group stock_uom",
    key="item_group customer",
    text="item_code stock_uom variant_of item_name asset_category asset_naming_series image brand description"
    " end_of_life default_material_request_type valuation_method warranty_period weight_uom"
    " batch_number_series serial_no_series variant_based_on purchase_uom sales_uom country_of_origin"
    " customs_tariff_number quality_inspection_template",
    number="opening_stock valuation_rate standard_rate weight_per_unit min_order_qty safety_stock"
    " last_purchase_rate max_discount",
    integer="shelf_life_in_days sample_quantity lead_time_days no_of_months no_of_months_exp",
    boolean="disabled allow_alternative_item is_stock_item include_item_in_manufacturing is_fixed_asset"
    " has_batch_no create_new_batch has_expiry_date retain_sample has_serial_no has_variants"
    " is_purchase_item is_customer_provided_item is_sales_item delivered_by_supplier"
    " enable_deferred_revenue enable_deferred_expense inspection_required_before_purchase"
    " inspection_required_before_delivery",
    sources={"item_group": "values.item_group", "stock_uom": "values.stock_uom"},
)

Issue = shape(
    "Issue",
    required="subject",
    key="customer lead contact company",
    text="subject raised_by status priority issue_type description service_level_agreement response_by"
    " first_responded_on email_account customer_name project resolution_details opening_time content_type"
    " attachment on_hold_since agreement_status service_level_agreement_creation issue_split_from"
    " sla_resolution_by sla_resolution_date",
    day="opening_date",
    integer="avg_response_time resolution_time user_resolution_time total_hold_time first_response_time",
    boolean="via_customer_portal",
    sources={
        "company": "values.company",
        "issue_type": "values.issue_type",
        "raised_by": "person.email",
    },
)
IssueChanges = update_of(Issue)
