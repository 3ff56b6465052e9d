"""Inputs of Overplane's operations that no delivery sends a body to, as its API reference lists them."""

from __future__ import annotations

from mappings.writing.shape import shape

#: "Maximum number of objects to return. Default: 20." and "Number of objects to skip". The opportunity's page
#: has lost the parameters' names; those are from its sibling pages.
Pages = shape("List", integer="limit offset")
ChildPages = shape("List of a parent", required="parent_id", key="parent_id", integer="limit offset")
#: The reference prints only the path of a reorder: this is a guess.
Reorder = shape("Reorder", required="parent_id ids", key="parent_id", texts="ids")

Prospect = shape(
    "Prospect",
    required="company",
    key="company customer_group territory",
    text="company_name industry market_segment no_of_employees fax website prospect_owner",
    number="annual_revenue",
)
Contact = shape(
    "Contact",
    text="first_name middle_name last_name full_name email_id phone mobile_no gender salutation image status"
    " company_name designation department user address",
    boolean="is_primary_contact unsubscribed",
)
#: Without some thirty accounts of the bookkeeping with which the reference goes on.
Company = shape(
    "Company",
    required="company_name abbr default_currency country",
    text="company_name abbr default_currency country parent_id domain parent_company company_logo"
    " company_description tax_id phone_no fax email website date_of_establishment date_of_incorporation"
    " date_of_commencement registration_details payment_terms chart_of_accounts cost_center"
    " default_letter_head",
    number="monthly_sales_target total_monthly_sales credit_limit",
    boolean="is_group enable_perpetual_inventory",
)

SalesStage = shape("Sales Stage", text="stage_name")
OpportunityType = shape("Opportunity Type", text="description")
LostReason = shape("Opportunity Lost Reason", text="lost_reason")
ItemGroup = shape(
    "Item Group",
    required="item_group_name",
    text="item_group_name parent_id parent_item_group image",
    boolean="is_group",
)
Territory = shape(
    "Territory",
    required="territory_name",
    text="territory_name parent_id parent_territory territory_manager",
    boolean="is_group",
)
CustomerGroup = shape(
    "Customer Group",
    required="customer_group_name",
    text="customer_group_name parent_id parent_customer_group default_price_list payment_terms",
    boolean="is_group",
)
