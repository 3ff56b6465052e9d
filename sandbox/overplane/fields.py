"""Lists the body parameters of Overplane's objects as its API reference prints them.

Each table is that of a create; an update takes the same fields and requires none. Only what the reference
marks as required is required here, save the parent of a child object, without which it belongs nowhere.
"""

from sandbox.fields import (
    Field,
    boolean,
    either,
    email,
    filled,
    integer,
    items,
    may,
    needs,
    number,
    one_of,
    passes,
    text,
    written_as,
)

# All dates in the samples look like 2024-01-15.
DAY = written_as("%Y-%m-%d", r"\d{4}-\d\d-\d\d", "must be a date in the form YYYY-MM-DD")
ADDRESS = either(email, one_of(""))
PERCENT = passes(
    lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100,
    "must be a number from 0 to 100",
)
PARTIES = one_of("Lead", "Customer", "Prospect")
UTM = may(text, "utm_source utm_campaign utm_medium utm_content")

OPPORTUNITY: tuple[Field, ...] = (
    *needs(PARTIES, "opportunity_from"),
    *needs(filled, "party_name company"),
    *needs(DAY, "transaction_date"),
    *may(text, "customer_name title opportunity_type order_lost_reason currency customer_address"),
    *may(filled, "status sales_stage"),
    *may(DAY, "expected_closing"),
    *may(PERCENT, "probability"),
    *may(number, "opportunity_amount base_opportunity_amount base_total total conversion_rate"),
    *may(number, "annual_revenue"),
    *may(integer, "first_response_time"),
    *may(text, "address_display territory customer_group contact_person contact_display contact_mobile"),
    *may(ADDRESS, "contact_email"),
    *may(text, "language no_of_employees industry market_segment opportunity_owner website whatsapp"),
    *may(text, "phone phone_ext job_title city state country"),
    *UTM,
)
OPPORTUNITY_ITEM: tuple[Field, ...] = (
    *may(integer, "idx"),
    *needs(filled, "opportunity_id"),
    *may(text, "item_code item_group brand uom item_name description image image_view"),
    *may(number, "qty rate base_amount amount base_rate"),
)
LOST_REASON_DETAIL: tuple[Field, ...] = (
    *may(integer, "idx"),
    *needs(filled, "opportunity_id"),
    *may(text, "lost_reason"),
)
# The reference prints the path of a reorder and nothing else; this body is a guess.
REORDER = (*needs(filled, "parent_id"), *needs(items(filled), "ids"))

LEAD: tuple[Field, ...] = (
    *may(text, "lead_name company_name lead_owner status salutation gender customer image phone mobile_no"),
    *may(ADDRESS, "email_id"),
    *may(text, "fax type market_segment industry request_type company website territory title language"),
    *may(boolean, "unsubscribed blog_subscriber disabled"),
    *may(text, "first_name middle_name last_name no_of_employees whatsapp_no phone_ext qualified_by"),
    *may(text, "qualified_on qualification_status job_title city state country"),
    *may(number, "annual_revenue"),
    *UTM,
)
CUSTOMER: tuple[Field, ...] = (
    *needs(filled, "customer_name"),
    *may(text, "gender customer_type default_bank_account lead_name image account_manager customer_group"),
    *may(text, "territory tax_id tax_category represents_company default_currency default_price_list"),
    *may(text, "language website customer_primary_contact mobile_no customer_primary_address"),
    *may(ADDRESS, "email_id"),
    *may(text, "primary_address payment_terms customer_details market_segment industry loyalty_program"),
    *may(text, "loyalty_program_tier default_sales_partner customer_pos_id tax_withholding_category"),
    *may(text, "opportunity_name prospect_name first_name last_name tax_withholding_group"),
    *may(boolean, "disabled is_internal_customer is_frozen so_required dn_required"),
    *may(number, "default_commission_rate"),
)
PROSPECT: tuple[Field, ...] = (
    *needs(filled, "company"),
    *may(text, "company_name industry market_segment customer_group territory no_of_employees fax website"),
    *may(text, "prospect_owner"),
    *may(number, "annual_revenue"),
)
CONTACT: tuple[Field, ...] = (
    *may(text, "first_name middle_name last_name full_name phone mobile_no gender salutation image status"),
    *may(ADDRESS, "email_id"),
    *may(text, "company_name designation department user address"),
    *may(boolean, "is_primary_contact unsubscribed"),
)
ISSUE: tuple[Field, ...] = (
    *needs(filled, "subject"),
    *may(text, "customer raised_by status priority issue_type description service_level_agreement"),
    *may(text, "response_by first_responded_on lead contact email_account customer_name project company"),
    *may(text, "resolution_details opening_time content_type attachment on_hold_since agreement_status"),
    *may(text, "service_level_agreement_creation issue_split_from sla_resolution_by sla_resolution_date"),
    *may(DAY, "opening_date"),
    *may(boolean, "via_customer_portal"),
    *may(integer, "avg_response_time resolution_time user_resolution_time total_hold_time"),
    *may(integer, "first_response_time"),
)
ITEM: tuple[Field, ...] = (
    *needs(filled, "item_code item_group stock_uom"),
    *may(text, "variant_of item_name asset_category asset_naming_series image brand description"),
    *may(text, "end_of_life default_material_request_type valuation_method warranty_period weight_uom"),
    *may(text, "batch_number_series serial_no_series variant_based_on purchase_uom customer sales_uom"),
    *may(text, "country_of_origin customs_tariff_number quality_inspection_template"),
    *may(number, "opening_stock valuation_rate standard_rate weight_per_unit min_order_qty safety_stock"),
    *may(number, "last_purchase_rate max_discount"),
    *may(integer, "shelf_life_in_days sample_quantity lead_time_days no_of_months no_of_months_exp"),
    *may(boolean, "disabled allow_alternative_item is_stock_item include_item_in_manufacturing"),
    *may(boolean, "is_fixed_asset has_batch_no create_new_batch has_expiry_date retain_sample"),
    *may(boolean, "has_serial_no has_variants is_purchase_item is_customer_provided_item is_sales_item"),
    *may(boolean, "delivered_by_supplier enable_deferred_revenue enable_deferred_expense"),
    *may(boolean, "inspection_required_before_purchase inspection_required_before_delivery"),
)
# The reference goes on with some thirty accounts of the bookkeeping, which no CRM client sends.
COMPANY: tuple[Field, ...] = (
    *needs(filled, "company_name abbr default_currency country"),
    *may(text, "parent_id domain parent_company company_logo company_description tax_id phone_no fax"),
    *may(text, "email website date_of_establishment date_of_incorporation date_of_commencement"),
    *may(text, "registration_details payment_terms chart_of_accounts cost_center default_letter_head"),
    *may(boolean, "is_group enable_perpetual_inventory"),
    *may(number, "monthly_sales_target total_monthly_sales credit_limit"),
)

SALES_STAGE = may(text, "stage_name")
# The reference prints no name for an opportunity type.
OPPORTUNITY_TYPE = may(text, "description")
LOST_REASON = may(text, "lost_reason")


def tree(name: str, others: str) -> tuple[Field, ...]:
    """Return the fields of a list whose entries form a tree: item groups, territories, customer groups."""
    return (*needs(filled, name), *may(text, f"parent_id {others}"), *may(boolean, "is_group"))


ITEM_GROUP = tree("item_group_name", "parent_item_group image")
TERRITORY = tree("territory_name", "parent_territory territory_manager")
CUSTOMER_GROUP = tree("customer_group_name", "parent_customer_group default_price_list payment_terms")
