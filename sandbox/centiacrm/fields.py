"""Lists the parameters of centiaCRM's methods as its API documentation v1 prints them.

A name that the documentation sets on its own line is optional; `object[]` there means one object, and
`array[]` a list of ids. Parts of an address said to exist "if any" may be empty strings.
"""

from sandbox.fields import (
    Field,
    boolean,
    decimal_text,
    either,
    email,
    empty,
    filled,
    fraction,
    integer,
    items,
    json_object,
    may,
    needs,
    number,
    one_of,
    positive,
    record,
    text,
    written_as,
)

SHORT_DATE = written_as("%d/%m/%y", r"\d\d/\d\d/\d\d", "does not match the format DD/MM/YY")
LONG_DATE = written_as("%Y-%m-%d", r"\d{4}-\d\d-\d\d", "does not match the format YYYY-MM-DD")
DATES = record(may(SHORT_DATE, "from to"))
IDS = items(integer)
OPTIONAL_EMAIL = either(email, empty)

LOGIN = needs(filled, "email password")
PROFILE = needs(integer, "profile_id")
STATES = needs(filled, "country")

PAGING = (*may(text, "query"), *may(positive, "pagination page"))
LIST_COMPANIES: tuple[Field, ...] = (
    *PROFILE,
    *PAGING,
    *may(IDS, "company_type company_industry"),
    *may(DATES, "created_at"),
    *may(boolean, "with_inputs with_contacts with_addresses"),
)
LIST_CONTACTS: tuple[Field, ...] = (
    *PROFILE,
    *PAGING,
    *may(integer, "company_id"),
    *may(IDS, "origin_id title_id position_id department_id"),
    *may(DATES, "created_at"),
    *may(boolean, "with_inputs with_addresses"),
)
WITH_PARTS = may(boolean, "with_user with_company with_contact with_products with_inputs")
LIST_OPPORTUNITIES: tuple[Field, ...] = (
    *PROFILE,
    *PAGING,
    *WITH_PARTS,
    *may(integer, "user_id"),
    *may(one_of("active", "pending", "won", "lost"), "status"),
    *may(one_of("new", "existing"), "contact_type"),
    *may(one_of("new", "renew"), "operation_type"),
    *may(IDS, "stage contact_origin company_industry"),
    *may(record(may(decimal_text, "from to")), "value"),
    *may(DATES, "created_at estimated_end_at closed_at"),
)
LIST_PRODUCTS = (*PROFILE, *may(boolean, "with_inputs"))

GET_COMPANY = (*PROFILE, *needs(one_of("id", "client_number"), "search_by"), *needs(filled, "search_value"))
GET_CONTACT = (
    *PROFILE,
    *may(integer, "company_id"),
    *needs(one_of("id", "email"), "search_by"),
    *needs(filled, "search_value"),
)
GET_OPPORTUNITY = (*PROFILE, *WITH_PARTS, *needs(integer, "opportunity_id"))

ADDRESS = record(
    (
        *needs(filled, "country state street number zip city"),
        *needs(text, "interior_number suburb"),
        *may(text, "latitude longitude"),
    )
)
ADDRESSES = may(ADDRESS, "shipping_address billing_address")
CREATE_COMPANY: tuple[Field, ...] = (
    *PROFILE,
    *needs(filled, "name"),
    *needs(integer, "type_id industry_id"),
    *may(text, "website phone billing_name rfc"),
    *ADDRESSES,
)
ASSISTANT = record(
    (
        *needs(filled, "name surname"),
        *may(text, "mother_surname phone_office phone_office_extension skype linkedin"),
        *may(OPTIONAL_EMAIL, "email"),
    )
)
CREATE_CONTACT: tuple[Field, ...] = (
    *PROFILE,
    *needs(integer, "company_id origin_id"),
    *needs(filled, "name surname"),
    *may(integer, "title_id position_id department_id"),
    *may(text, "mother_surname phone_office phone_office_extension phone_mobile phone_other"),
    *may(text, "skype linkedin twitter"),
    *may(OPTIONAL_EMAIL, "email"),
    *may(ASSISTANT, "assistant"),
    *ADDRESSES,
)
CREATE_PRODUCT: tuple[Field, ...] = (
    *PROFILE,
    *needs(filled, "name"),
    *needs(number, "value"),
    *may(text, "short_name sku description"),
    # Ids, but the documentation types them as strings.
    *may(text, "profile_currency_type_id product_discount_id product_validity_id"),
    *may(text, "product_measury_id product_category_id"),
    *may(IDS, "taxes"),
    *may(json_object, "inputs"),
)
EDIT_PRODUCT = (*CREATE_PRODUCT, *needs(integer, "product_id"))

LINE = record(
    (
        *needs(integer, "product_id"),
        *needs(positive, "amount"),
        *needs(number, "price discount total"),
        *needs(fraction, "tax"),
    )
)
CREATE_OPPORTUNITY: tuple[Field, ...] = (
    *PROFILE,
    *needs(integer, "user_id stage_id company_id contact_id"),
    *needs(filled, "title"),
    *needs(number, "value"),
    *needs(SHORT_DATE, "estimated_end_at"),
    *needs(one_of("new", "existing"), "prospect_type"),
    *needs(one_of("new", "renew"), "operation_type"),
    *needs(boolean, "want_products want_tax notify"),
    *may(text, "campaign_id comment"),
    *may(items(LINE), "products"),
)
CREATE_TICKET: tuple[Field, ...] = (
    *PROFILE,
    *needs(filled, "title description"),
    *needs(integer, "company_id user_id origin_id case_id priority_id"),
    *may(integer, "contact_id opportunity_id"),
    *needs(LONG_DATE, "estimated_end_at"),
    *needs(boolean, "notify"),
    *may(text, "comment"),
)
