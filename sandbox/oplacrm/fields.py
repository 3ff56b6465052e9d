"""Lists the request fields of OplaCRM as the tables of its API reference print them.

The reference marks nearly every field as required, so an unused one has to be sent as an empty string;
only names, keys and dates must have a value.
"""

from sandbox.fields import (
    Field,
    boolean,
    either,
    email,
    empty,
    filled,
    iso_time,
    items,
    json_object,
    may,
    needs,
    number,
    one_of,
    record,
    text,
    written_as,
)

GENDER = one_of("MALE", "FEMALE", "OTHER")
DAY = written_as("%Y-%m-%d", r"\d{4}-\d\d-\d\d", "must be a date in the form YYYY-MM-DD")
# The reference says only "object"; the part names come from its samples.
PHONE = record(may(text, "phone call_code country_code country_name"))
# The lead sample has country_code and number, while real answers carry the key phone.
LEAD_PHONE = record(may(text, "country_code number phone"))
# Declared a string, shown as the number 1753866687345 (Create product).
PRODUCT_KEY = either(filled, number)
CUSTOM_FIELDS = items(record(needs(text, "custom_field_id value")))

CONTACT: tuple[Field, ...] = (
    *needs(filled, "first_name last_name external_id"),
    *may(GENDER, "gender", nullable=True),
    *needs(text, "email department description address website owner_id"),
    *needs(either(iso_time, empty), "birthday"),
    *needs(PHONE, "phone_work phone_other"),
)
CREATE_CONTACT = (*CONTACT, *needs(filled, "account_external_id"))
UPDATE_CONTACT = CONTACT

CREATE_ACCOUNT: tuple[Field, ...] = (
    *needs(filled, "name external_id"),
    *needs(text, "long_name description tax_identification_number email address website note"),
    *needs(text, "source_id industry_id owner_id created_by updated_by"),
    *needs(PHONE, "phone"),
    *needs(boolean, "is_public"),
    # The table says object, the sample is a string.
    *needs(either(text, json_object), "account_type"),
)
# The table says array of strings, the sample is a string.
UPDATE_ACCOUNT = (*CREATE_ACCOUNT, *needs(either(items(text), text), "custom_fields"))

LINE = (
    *needs(filled, "product_external_id"),
    *needs(number, "unit_price quantity"),
    *may(number, "discount", nullable=True),
    *may(text, "supplier_external_id description", nullable=True),
)
CREATE_LINE = record((*LINE, *may(text, "unit_of_measure currency", nullable=True)))
UPDATE_LINE = record((*LINE, *may(one_of("PERCENT"), "discount_type_value", nullable=True)))
INVOICE = record(
    (
        *may(text, "status_process_id name description description_stage", nullable=True),
        *may(text, "invoice_forecast_id status_process_stage_id", nullable=True),
        *may(iso_time, "expected_date actual_date", nullable=True),
        *may(number, "value", nullable=True),
    )
)
ACCOUNT_EMPLOYEE: tuple[Field, ...] = needs(filled, "account_id employee_id")
CONTRIBUTOR: tuple[Field, ...] = (
    *needs(filled, "email"),
    *needs(one_of("READ_ONLY", "READ_WRITE"), "permission"),
)

CREATE_OPPORTUNITY: tuple[Field, ...] = (
    *needs(filled, "name"),
    *needs(text, "account_external_id account_id external_id owner_external_id owner_email application"),
    *needs(text, "forecast type source opportunities_joint sale_process sale_process_stage"),
    *needs(items(text), "contacts_external_ids contacts_ids"),
    *needs(iso_time, "date_open date_closed"),
    *needs(items(CREATE_LINE), "opportunities_products"),
    *needs(items(record(CONTRIBUTOR)), "contributors"),
    *needs(CUSTOM_FIELDS, "custom_fields"),
)
UPDATE_OPPORTUNITY: tuple[Field, ...] = (
    *needs(filled, "name"),
    *needs(text, "external_id sale_process_stage close_reason"),
    *needs(boolean, "locked"),
    *may(text, "opportunities_joint_id", nullable=True),
    *may(one_of("CLOSE_WON", "CLOSE_LOST"), "stage_close", nullable=True),
    *needs(DAY, "date_closed"),
    *needs(items(UPDATE_LINE), "products opportunities_products"),
    *needs(items(INVOICE), "invoices"),
    *needs(CUSTOM_FIELDS, "custom_fields"),
)

LEAD: tuple[Field, ...] = (
    *needs(filled, "name account_name"),
    *may(GENDER, "gender", nullable=True),
    *may(text, "job_title address note contact_name owner_id external_from", nullable=True),
    *may(text, "lead_segmentation lead_status industry source", nullable=True),
    *may(LEAD_PHONE, "phone", nullable=True),
    *may(email, "email", nullable=True),
)
CREATE_LEAD = (
    *LEAD,
    *may(filled, "external_id", nullable=True),
    *may(items(record(needs(text, "field value"))), "custom_fields", nullable=True),
)
UPDATE_LEAD = (*LEAD, *needs(CUSTOM_FIELDS, "custom_fields"))

CREATE_EMPLOYEE: tuple[Field, ...] = (
    *needs(filled, "first_name last_name email"),
    *needs(text, "dimension_id site_id external_id", nullable=True),
)
UPDATE_EMPLOYEE: tuple[Field, ...] = (
    *needs(filled, "first_name last_name"),
    *needs(text, "dimension_id site_id", nullable=True),
)

UPDATE_PRODUCT: tuple[Field, ...] = (
    *needs(filled, "name"),
    *needs(text, "description supplier_id unit_of_measure_id category_id sub_category_id"),
    *needs(number, "price"),
)
CREATE_PRODUCT = (*UPDATE_PRODUCT, *needs(PRODUCT_KEY, "external_id"))
UPSERT_PRODUCT = (*CREATE_PRODUCT, *needs(text, "id"), *needs(one_of(0, 1), "deleted"))

UPDATE_SUPPLIER: tuple[Field, ...] = (
    *needs(filled, "name"),
    *needs(text, "buyer_group_id buyer_group_name main_contact_id"),
)
CREATE_SUPPLIER = (*UPDATE_SUPPLIER, *needs(text, "external_id"))
UPDATE_UNIT: tuple[Field, ...] = (*needs(filled, "name"), *needs(text, "description"))
CREATE_UNIT = (*UPDATE_UNIT, *needs(text, "external_id"))
UPDATE_BUYER_GROUP = UPDATE_UNIT
CREATE_BUYER_GROUP = (*UPDATE_BUYER_GROUP, *needs(filled, "external_id"))
