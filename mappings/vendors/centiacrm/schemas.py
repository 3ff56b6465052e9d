"""The bodies that centiaCRM documents, and the values that its connection must and may hold.

The documentation prints the name of a field that may be left out on a line of its own; those are `optional`.
Ids are those of the tenant, as the Get… methods list them.
"""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from mappings.fields import number, optional, text
from mappings.shape import Pointer


class Values(Schema):
    """`[connections.X.values]`. What only tickets need is demanded when there is a ticket to plan."""

    profile_id = fields.Integer(strict=True, required=True)
    user_id = fields.Integer(strict=True, required=True)
    type_id = fields.Integer(strict=True, required=True)
    industry_id = fields.Integer(strict=True, required=True)
    contact_origin_id = fields.Integer(strict=True, required=True)
    stage_id = fields.Integer(strict=True, required=True)
    # Status of an order ("paid") → stage at which it is created; no stage can be changed later.
    stages = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True))
    ticket_origin_id = fields.Integer(strict=True)
    case_id = fields.Integer(strict=True)
    priority_id = fields.Integer(strict=True)
    # Priority as the sender words it → priority id.
    priorities = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True))
    close_days = fields.Integer(strict=True, load_default=30, validate=validate.Range(0, 3650))
    ticket_days = fields.Integer(strict=True, load_default=3, validate=validate.Range(0, 3650))
    # No length is documented; 250 fits the usual column of 255 characters.
    title_length = fields.Integer(strict=True, load_default=250, validate=validate.Range(100, 5000))
    default_region = fields.String(validate=validate.Length(equal=2))
    # Amounts have no currency here: with this set, an order in another one is refused.
    currency = fields.String(validate=validate.Length(equal=3))
    want_tax = fields.Boolean(load_default=True)
    notify = fields.Boolean(load_default=False)
    prospect_type = fields.String(load_default="new", validate=validate.OneOf(["new", "existing"]))
    operation_type = fields.String(load_default="new", validate=validate.OneOf(["new", "renew"]))
    anonymous_customer = fields.String(load_default="Web shop customer", validate=validate.Length(min=1))
    # `surname` is required; this is sent for people of one word.
    no_surname = fields.String(load_default="-", validate=validate.Length(min=1))
    # The sender's country → the vendor's country code, the sender's region → the vendor's state code.
    countries = fields.Dict(keys=fields.String(), values=fields.String())
    states = fields.Dict(keys=fields.String(), values=fields.String())
    campaign_id = fields.String()
    profile_currency_type_id = fields.String()
    product_category_id = fields.String()


class AddressBody(Schema):
    """An address: may be left out, but must be whole once it is sent."""

    country = fields.String(required=True)
    state = fields.String(required=True)
    street = text()
    number = text()
    interior_number = text()
    zip = text()
    suburb = text()
    city = text()


class CompanyBody(Schema):
    """CreateCompany."""

    profile_id = number("values.profile_id")
    name = fields.String(required=True)
    type_id = number("values.type_id")
    industry_id = number("values.industry_id")
    phone = optional()
    rfc = optional("attributes.tax_number")
    shipping_address = fields.Nested(AddressBody)


class ContactBody(Schema):
    """CreateContact."""

    profile_id = number("values.profile_id")
    company_id = Pointer(required=True)
    name = fields.String(required=True)
    surname = fields.String(required=True)
    origin_id = number("values.contact_origin_id")
    phone_mobile = optional()
    email = optional("person.email")
    shipping_address = fields.Nested(AddressBody)


class ProductBody(Schema):
    """CreateProduct."""

    profile_id = number("values.profile_id")
    name = fields.String(required=True)
    value = fields.Decimal(required=True)
    sku = fields.String(required=True)
    profile_currency_type_id = optional("values.profile_currency_type_id")
    product_category_id = optional("values.product_category_id")


class LineBody(Schema):
    """A product of CreateOpportunity; `amount` is a number of pieces and `tax` a fraction of the price."""

    product_id = Pointer(required=True)
    amount = fields.Integer(strict=True, required=True)
    price = fields.Decimal(required=True)
    # Whether a discount is an amount or a percentage is not documented: prices are net of it.
    discount = fields.Integer(strict=True, load_default=0)
    tax = fields.Decimal(required=True, validate=validate.Range(0, 1))
    total = fields.Decimal(required=True)


class OpportunityBody(Schema):
    """CreateOpportunity; its date is DD/MM/YY."""

    profile_id = number("values.profile_id")
    user_id = number("values.user_id")
    title = fields.String(required=True)
    value = fields.Decimal(required=True)
    estimated_end_at = fields.String(required=True, validate=validate.Regexp(r"\d\d/\d\d/\d\d\Z"))
    prospect_type = text("values.prospect_type")
    operation_type = text("values.operation_type")
    stage_id = number("values.stage_id")
    company_id = Pointer(required=True)
    contact_id = Pointer(required=True)
    campaign_id = optional("values.campaign_id")
    want_products = fields.Boolean(load_default=False)
    want_tax = fields.Boolean(load_default=False)
    products = fields.List(fields.Nested(LineBody))
    notify = fields.Boolean(required=True, metadata={"source": "values.notify"})
    comment = optional()


class TicketBody(Schema):
    """CreateTicket; its date is YYYY-MM-DD."""

    profile_id = number("values.profile_id")
    title = fields.String(required=True)
    description = text()
    company_id = Pointer(required=True)
    contact_id = Pointer()
    user_id = number("values.user_id")
    origin_id = number("values.ticket_origin_id")
    case_id = number("values.case_id")
    priority_id = number("values.priority_id")
    estimated_end_at = fields.String(required=True, validate=validate.Regexp(r"\d{4}-\d\d-\d\d\Z"))
    notify = fields.Boolean(required=True, metadata={"source": "values.notify"})
