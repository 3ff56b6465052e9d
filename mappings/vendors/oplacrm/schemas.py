"""The bodies that OplaCRM documents, and the values that its connection may hold.

Fields are those of the OpenAPI page at doc-api.oplacrm.com. It marks nearly all of them as required, also
where nobody could know them, so `text` sends them empty; what it leaves unmarked is `optional` and left out.
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from mappings.fields import optional, text
from mappings.instances import instance


class Values(Schema):
    """`[connections.X.values]`: names and ids as the tenant has set them up; the API lists none of them."""

    owner_id = fields.String()  # the external id of an employee
    owner_email = fields.String()
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
    sale_process_stage = fields.String()
    sale_process_stage_won = fields.String()
    sale_process_stage_lost = fields.String()
    close_reason_won = fields.String()
    close_reason_lost = fields.String()
    forecast = fields.String()
    opportunity_type = fields.String()
    opportunity_source = fields.String()
    application = fields.String()
    anonymous_customer = fields.String(load_default="Web shop customer", validate=validate.Length(min=1))
    close_days = fields.Integer(strict=True, load_default=30, validate=validate.Range(0, 3650))
    # No length is documented; 250 fits the usual column of 255 characters.
    title_length = fields.Integer(strict=True, load_default=250, validate=validate.Range(100, 5000))
    default_region = fields.String(validate=validate.Length(equal=2))
    # The document's own sample says "number", answers of live tenants say "phone".
    lead_phone_shape = fields.String(load_default="number", validate=validate.OneOf(["number", "phone"]))
    # Update has two lists of one type and does not say which counts; create knows only this default.
    update_lines_as = fields.String(
        load_default="opportunities_products",
        validate=validate.OneOf(["opportunities_products", "products"]),
    )
    currency = fields.String(validate=validate.Length(equal=3))


class PhoneBody(Schema):
    """A phone of an account or a contact: the national number beside what must be dialled before it."""

    phone = text()
    call_code = text()
    country_code = text()
    country_name = text()


class LeadPhoneBody(Schema):
    """A phone of a lead, whose `country_code` is a dialling code ("+84") and not a country."""

    country_code = text()
    number = optional()
    phone = optional()


class CreationCustomField(Schema):
    """A custom field as creating a lead wants it: by name."""

    field = fields.String(required=True)
    value = fields.String(required=True)


class CustomField(Schema):
    """A custom field as everything but the creation of a lead wants it: by id."""

    custom_field_id = fields.String(required=True)
    value = fields.String(required=True)


class LeadBody(Schema):
    """CreateLeadDto."""

    name = fields.String(required=True)
    account_name = fields.String(required=True)
    external_id = fields.String(required=True, validate=validate.Length(min=1), metadata={"source": "key"})
    contact_name = optional()
    job_title = optional("attributes.job_title")
    address = optional()
    note = optional()
    phone = fields.Nested(LeadPhoneBody)
    email = optional("person.email")
    owner_id = optional("values.owner_id")
    external_from = optional("values.external_from")
    lead_segmentation = optional("values.lead_segmentation")
    lead_status = optional("values.lead_status")
    industry = optional("values.industry")
    source = optional("values.lead_source")
    custom_fields = fields.List(fields.Nested(CreationCustomField))


class AccountBody(Schema):
    """CreateAccountDto."""

    name = fields.String(required=True)
    long_name = text()
    description = text()
    tax_identification_number = text("attributes.tax_number")
    email = text()
    external_id = fields.String(required=True)
    address = text()
    phone = fields.Nested(PhoneBody, load_default=lambda: instance(PhoneBody).load({}))
    website = text()
    is_public = fields.Boolean(load_default=False)
    note = text()
    account_type = text("values.account_type")
    source_id = text("values.source_id")
    industry_id = text("values.industry_id")
    owner_id = text("values.owner_id")
    created_by = text("values.owner_id")
    updated_by = text("values.owner_id")


class ContactBody(Schema):
    """CreateContactDto, without its optional `gender`, which no sender tells."""

    first_name = text("person.first_name")
    last_name = text("person.last_name")
    email = text("person.email")
    birthday = text()
    department = text()
    description = text()
    account_external_id = fields.String(required=True)
    external_id = fields.String(required=True)
    address = text()
    phone_work = fields.Nested(PhoneBody, load_default=lambda: instance(PhoneBody).load({}))
    phone_other = fields.Nested(PhoneBody, load_default=lambda: instance(PhoneBody).load({}))
    website = text()
    owner_id = text("values.owner_id")


class ProductBody(Schema):
    """UpsertProductDto; `id` is the vendor's own, unknown to whoever creates."""

    name = fields.String(required=True)
    description = text()
    price = fields.Decimal(required=True)
    supplier_id = text("values.supplier_id")
    unit_of_measure_id = text("values.unit_of_measure_id")
    category_id = text("values.category_id")
    sub_category_id = text("values.sub_category_id")
    external_id = fields.String(required=True)
    id = text()
    deleted = fields.Integer(strict=True, load_default=0)


class LineBody(Schema):
    """OpportunitiesProductDto, the line of a creation."""

    product_external_id = fields.String(required=True)
    supplier_external_id = text()
    unit_of_measure = text()
    unit_price = fields.Decimal(required=True)
    quantity = fields.Integer(strict=True, required=True)
    discount = fields.Integer(strict=True, load_default=0)
    currency = text()
    description = text()


class ChangedLineBody(Schema):
    """CreateOpportunityProductDto, despite its name the line of an update."""

    product_external_id = fields.String(required=True)
    supplier_external_id = text()
    quantity = fields.Integer(strict=True, required=True)
    unit_price = fields.Decimal(required=True)
    description = text()
    discount_type_value = text(default="PERCENT")
    discount = fields.Integer(strict=True, load_default=0)


class OpportunityBody(Schema):
    """CreateOpportunityDto; of its pairs of ids, ours are sent and the vendor's stay empty."""

    name = fields.String(required=True)
    account_external_id = fields.String(required=True)
    account_id = text()
    contacts_external_ids = fields.List(fields.String(), required=True)
    contacts_ids = fields.List(fields.String(), load_default=list)
    date_open = fields.String(required=True)
    date_closed = fields.String(required=True)
    opportunities_products = fields.List(fields.Nested(LineBody), required=True)
    forecast = text("values.forecast")
    type = text("values.opportunity_type")
    source = text("values.opportunity_source")
    opportunities_joint = text()
    sale_process = text("values.sale_process")
    sale_process_stage = text()
    contributors = fields.List(fields.Dict(), load_default=list)
    external_id = fields.String(required=True, metadata={"source": "key"})
    owner_external_id = text("values.owner_id")
    owner_email = text("values.owner_email")
    application = text("values.application")
    custom_fields = fields.List(fields.Nested(CustomField), load_default=list)


class OpportunityChanges(Schema):
    """UpdateOpportunityDto, without `opportunities_joint_id`, which it does not require."""

    name = fields.String(required=True)
    external_id = fields.String(required=True, metadata={"source": "key"})
    # The document's sample locks the record; then nobody could work on it.
    locked = fields.Boolean(load_default=False)
    stage_close = fields.String(validate=validate.OneOf(["CLOSE_WON", "CLOSE_LOST"]))
    sale_process_stage = text()
    close_reason = text()
    date_closed = fields.String(required=True)
    products = fields.List(fields.Nested(ChangedLineBody), load_default=list)
    opportunities_products = fields.List(fields.Nested(ChangedLineBody), load_default=list)
    invoices = fields.List(fields.Dict(), load_default=list)
    custom_fields = fields.List(fields.Nested(CustomField), load_default=list)
