"""The bodies that OplaCRM documents, and the values that its connection may hold.

Fields are those of the OpenAPI page at doc-api.oplacrm.com. It marks nearly all of them as required, also
where nobody could know them: those are `blank` and sent empty. What it leaves unmarked is left out.
"""

from __future__ import annotations

import re

from marshmallow import Schema, fields, validate

from mappings.instances import instance
from mappings.writing.shape import Entry, shape


class Values(Schema):
    """`[connections.X.values]`: names and ids as the tenant has set them up; employees alone can be listed."""

    # The external id of an employee, or the name or e-mail of one; an id has neither a space nor an @.
    owner = Entry("employees", ids=re.compile(r"[^\s@]+\Z"))
    owner_email = fields.String()
    # Whether an update may leave out custom fields of a lead, which may empty them.
    drop_lead_fields = fields.Boolean(load_default=False)
    lead_status = fields.String()
    lead_segmentation = fields.String()
    lead_source = fields.String()
    industry = fields.String()
    external_from = fields.String(load_default="CRM Relay")
    account_type = fields.String()
    source_id = fields.String()
    industry_id = fields.String()
    supplier_id = fields.String()
    supplier_external_id = fields.String()
    unit_of_measure = fields.String()
    unit_of_measure_id = fields.String()
    category_id = fields.String()
    sub_category_id = fields.String()
    sale_process = fields.String()
    stage = fields.String()
    # Status of an order ("paid") → stage of the sale process.
    stages = fields.Dict(keys=fields.String(), values=fields.String())
    close_reason_won = fields.String()
    close_reason_lost = fields.String()
    forecast = fields.String()
    opportunity_type = fields.String()
    opportunity_source = fields.String()
    application = fields.String()
    # What a request for help becomes: the vendor has no tickets.
    ticket_as = fields.String(validate=validate.OneOf(["lead", "opportunity"]))
    ticket_process = fields.String()
    ticket_stage = fields.String()
    ticket_days = fields.Integer(strict=True, load_default=3, validate=validate.Range(0, 3650))
    anonymous_customer = fields.String(load_default="Web shop customer", validate=validate.Length(min=1))
    no_surname = fields.String(load_default="-", validate=validate.Length(min=1))
    close_days = fields.Integer(strict=True, load_default=30, validate=validate.Range(0, 3650))
    # No length is documented; 250 fits the usual column of 255 characters.
    title_length = fields.Integer(strict=True, load_default=250, validate=validate.Range(100, 5000))
    default_region = fields.String(validate=validate.Length(equal=2))
    # The document's sample says "number", answers of live tenants say "phone".
    lead_phone_shape = fields.String(load_default="number", validate=validate.OneOf(["number", "phone"]))
    # Update has two lists of one type and does not say which counts; create knows only this default.
    update_lines_as = fields.String(
        load_default="opportunities_products",
        validate=validate.OneOf(["opportunities_products", "products"]),
    )
    currency = fields.String(validate=validate.Length(equal=3))


GENDER = {"gender": ("MALE", "FEMALE", "OTHER")}

#: A phone of an account or a contact: the national number beside what must be dialled before it.
Phone = shape("Phone", blank="phone call_code country_code country_name")


def no_phone() -> object:
    """Return the phone of somebody who has none: the vendor wants the object all the same."""
    return instance(Phone).load({})


#: A custom field as creating a lead wants it, by name; everything else wants it by id.
NamedField = shape("CustomFieldDto", required="field value", text="field value")
CustomField = shape("CustomFieldValueDto", required="custom_field_id value", text="custom_field_id value")

#: The `country_code` of a lead's phone is a dialling code ("+84") and no country.
LEAD_TEXTS = (
    "name job_title address note account_name contact_name email external_from lead_segmentation lead_status"
    " industry source"
)
_LEAD_PHONE = shape("LeadPhone", blank="country_code", text="number phone")
# Values of relay.toml are for a new lead alone: in one that exists, they would undo what people have changed.
_LEAD_SOURCES = {"job_title": "attributes.job_title", "email": "person.email"}

Lead = shape(
    "CreateLeadDto",
    required="name account_name",
    text=LEAD_TEXTS,
    key="external_id owner_id",
    one_of=GENDER,
    inside={"phone": _LEAD_PHONE},
    many={"custom_fields": NamedField},
    sources={
        **_LEAD_SOURCES,
        "external_id": "key",
        "owner_id": "values.owner",
        "external_from": "values.external_from",
        "lead_segmentation": "values.lead_segmentation",
        "lead_status": "values.lead_status",
        "industry": "values.industry",
        "source": "values.lead_source",
    },
)

LeadChanges = shape(
    "UpdateLeadDto",
    required="name account_name",
    text=LEAD_TEXTS,
    key="owner_id",
    one_of=GENDER,
    inside={"phone": _LEAD_PHONE},
    many={"custom_fields": CustomField},
    defaults={"custom_fields": list},
    sources=_LEAD_SOURCES,
)

#: What creating and updating an account have in common.
ACCOUNT_BLANKS = (
    "long_name description tax_identification_number email address website note account_type source_id"
    " industry_id owner_id created_by updated_by"
)
Account = shape(
    "CreateAccountDto",
    required="name external_id",
    text="name external_id",
    blank=ACCOUNT_BLANKS,
    boolean="is_public",
    inside={"phone": Phone},
    defaults={"is_public": False, "phone": no_phone},
    sources={
        "tax_identification_number": "attributes.tax_number",
        "account_type": "values.account_type",
        "source_id": "values.source_id",
        "industry_id": "values.industry_id",
        "owner_id": "values.owner",
        "created_by": "values.owner",
        "updated_by": "values.owner",
    },
)

#: What creating and updating a contact have in common.
CONTACT_BLANKS = "email birthday department description address website owner_id"
CONTACT_PHONES = {"phone_work": Phone, "phone_other": Phone}
NO_PHONES = dict.fromkeys(CONTACT_PHONES, no_phone)
Contact = shape(
    "CreateContactDto",
    required="first_name last_name account_external_id external_id",
    text="first_name last_name account_external_id external_id",
    blank=CONTACT_BLANKS,
    one_of=GENDER,
    inside=CONTACT_PHONES,
    defaults=NO_PHONES,
    sources={"email": "person.email", "owner_id": "values.owner"},
)

#: What all three ways of writing a product have in common.
PRODUCT_BLANKS = "description supplier_id unit_of_measure_id category_id sub_category_id"
#: `id` is the vendor's own, unknown to whoever creates. `external_id` has a default that is the moment at
#: which the document was made, so without one each repetition would make another product.
Product = shape(
    "UpsertProductDto",
    required="name price external_id",
    text="name external_id",
    number="price",
    blank=f"{PRODUCT_BLANKS} id",
    one_of={"deleted": (0, 1)},
    defaults={"deleted": 0},
    sources={
        "supplier_id": "values.supplier_id",
        "unit_of_measure_id": "values.unit_of_measure_id",
        "category_id": "values.category_id",
        "sub_category_id": "values.sub_category_id",
    },
)

#: The line of a creation; the unit of its discount is not documented.
Line = shape(
    "OpportunitiesProductDto",
    required="product_external_id unit_price quantity",
    text="product_external_id",
    number="unit_price quantity discount",
    blank="supplier_external_id unit_of_measure currency description",
    defaults={"discount": 0},
)
#: Despite its name the line of an update.
ChangedLine = shape(
    "CreateOpportunityProductDto",
    required="product_external_id unit_price quantity",
    text="product_external_id discount_type_value",
    number="unit_price quantity discount",
    blank="supplier_external_id description",
    defaults={"discount": 0, "discount_type_value": "PERCENT"},
)
_PERMISSION = {"permission": ("READ_ONLY", "READ_WRITE")}
Contributor = shape("ContributorDto", required="email permission", text="email", one_of=_PERMISSION)
Invoice = shape(
    "CreateOpportunityInvoiceDto",
    uuid="status_process_id invoice_forecast_id status_process_stage_id",
    moment="expected_date actual_date",
    number="value",
    text="name description description_stage",
)

#: Of its pairs of ids, ours are sent and the vendor's stay empty.
Opportunity = shape(
    "CreateOpportunityDto",
    required="name date_open date_closed",
    text="name date_open date_closed",
    blank="account_external_id account_id forecast type source opportunities_joint sale_process"
    " sale_process_stage external_id owner_external_id owner_email application",
    texts="contacts_external_ids contacts_ids",
    many={"opportunities_products": Line, "contributors": Contributor, "custom_fields": CustomField},
    defaults=dict.fromkeys(
        "contacts_external_ids contacts_ids opportunities_products contributors custom_fields".split(), list
    ),
    sources={
        "forecast": "values.forecast",
        "type": "values.opportunity_type",
        "source": "values.opportunity_source",
        "external_id": "key",
        "owner_external_id": "values.owner",
        "owner_email": "values.owner_email",
        "application": "values.application",
    },
)
#: The document's sample locks the record; then nobody could work on it. An empty `external_id` would take it.
OpportunityChanges = shape(
    "UpdateOpportunityDto",
    required="name date_closed external_id",
    text="name external_id",
    day="date_closed",
    blank="sale_process_stage close_reason",
    uuid="opportunities_joint_id",
    boolean="locked",
    one_of={"stage_close": ("CLOSE_WON", "CLOSE_LOST")},
    many={"products": ChangedLine, "opportunities_products": ChangedLine}
    | {"invoices": Invoice, "custom_fields": CustomField},
    defaults={"locked": False}
    | dict.fromkeys("products opportunities_products invoices custom_fields".split(), list),
    sources={"external_id": "key"},
)
