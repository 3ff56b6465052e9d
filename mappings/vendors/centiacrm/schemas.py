"""The bodies that centiaCRM documents, and the values that its connection must and may hold.

The documentation prints the name of a field that may be left out on a line of its own; the others are required.
Its list methods (GetStages, GetTypes …) give the ids; relay.toml may say an id or the entry's name.
"""

from __future__ import annotations

import re

from marshmallow import Schema, fields, validate

from mappings.writing.shape import Entry, shape

_CODE = re.compile(r"[A-Z]{2,3}\Z")
_DIGITS = re.compile(r"[0-9]+\Z")


class Values(Schema):
    """`[connections.X.values]`. What only tickets need is demanded when there is a ticket to plan."""

    profile = Entry("profiles", required=True)
    owner = Entry("users", required=True)
    company_type = Entry("company types", required=True)
    industry = Entry("industries", required=True)
    contact_origin = Entry("contact origins", required=True)
    stage = Entry("stages", required=True)
    # Status of an order ("paid") → stage at which it is created; no stage can be changed later.
    stages = fields.Dict(keys=fields.String(), values=Entry("stages"))
    ticket_origin = Entry("ticket origins")
    ticket_case = Entry("ticket cases")
    priority = Entry("priorities")
    # Priority as the sender words it → priority.
    priorities = fields.Dict(keys=fields.String(), values=Entry("priorities"))
    # The document types the ids of what a product has as texts.
    product_category = Entry("product categories", ids=_DIGITS)
    # Of these two there is no list.
    campaign_id = fields.String()
    profile_currency_type_id = fields.String()
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
    # `number` is required of an address; this is sent for a street that ends in none.
    no_house_number = fields.String(load_default="S/N", validate=validate.Length(min=1))
    # The sender's country → theirs, as code or name; the sender's region → the code of the vendor's state,
    # which is no name because the list of states is another one for each country.
    countries = fields.Dict(keys=fields.String(), values=Entry("countries", ids=_CODE))
    states = fields.Dict(keys=fields.String(), values=fields.String())


#: An address may be left out, but must be whole once it is sent; only two of its parts say "if any".
Address = shape(
    "Address",
    required="country state street number zip city",
    key="country state",
    text="street number zip city latitude longitude",
    blank="interior_number suburb",
)

Company = shape(
    "CreateCompany",
    required="profile_id name type_id industry_id",
    id="profile_id type_id industry_id",
    text="name website phone billing_name rfc",
    inside={"shipping_address": Address, "billing_address": Address},
    sources={
        "profile_id": "values.profile",
        "type_id": "values.company_type",
        "industry_id": "values.industry",
        "rfc": "attributes.tax_number",
    },
)

_PERSON = "name surname mother_surname phone_office phone_office_extension email skype linkedin"

Contact = shape(
    "CreateContact",
    required="profile_id company_id name surname origin_id",
    id="profile_id company_id title_id origin_id position_id department_id",
    text=f"{_PERSON} phone_mobile phone_other twitter",
    inside={
        "shipping_address": Address,
        "billing_address": Address,
        "assistant": shape("Assistant", required="name surname", text=_PERSON),
    },
    sources={
        "profile_id": "values.profile",
        "origin_id": "values.contact_origin",
        "email": "person.email",
    },
)

#: What a product has beside its id, for the method that makes one and the one that changes one.
PRODUCT_TEXTS = "name short_name sku description"
PRODUCT_KEYS = (
    "profile_currency_type_id product_discount_id product_validity_id product_measury_id product_category_id"
)

Product = shape(
    "CreateProduct",
    required="profile_id name value",
    id="profile_id",
    text=PRODUCT_TEXTS,
    number="value",
    key=PRODUCT_KEYS,
    ids="taxes",
    object="inputs",
    sources={
        "profile_id": "values.profile",
        "profile_currency_type_id": "values.profile_currency_type_id",
        "product_category_id": "values.product_category",
    },
)

#: A product of an opportunity; `amount` is a number of pieces and `tax` a fraction of the price. Whether a
#: discount is an amount or a percentage is not documented: our prices are net of it.
Line = shape(
    "OpportunityProduct",
    required="product_id amount price tax total",
    id="product_id",
    integer="amount",
    number="price discount total",
    fraction="tax",
    defaults={"discount": 0},
)

Opportunity = shape(
    "CreateOpportunity",
    required="profile_id user_id title value estimated_end_at prospect_type operation_type stage_id company_id"
    " contact_id notify",
    id="profile_id user_id stage_id company_id contact_id",
    text="title campaign_id comment",
    number="value",
    short_day="estimated_end_at",
    boolean="want_products want_tax notify",
    one_of={"prospect_type": ("new", "existing"), "operation_type": ("new", "renew")},
    many={"products": Line},
    defaults={"want_products": False, "want_tax": False},
    sources={
        "profile_id": "values.profile",
        "user_id": "values.owner",
        "stage_id": "values.stage",
        "prospect_type": "values.prospect_type",
        "operation_type": "values.operation_type",
        "campaign_id": "values.campaign_id",
        "notify": "values.notify",
    },
)

Ticket = shape(
    "CreateTicket",
    required="profile_id title company_id user_id origin_id case_id priority_id estimated_end_at notify",
    id="profile_id company_id contact_id opportunity_id user_id origin_id case_id priority_id",
    text="title comment",
    blank="description",
    day="estimated_end_at",
    boolean="notify",
    sources={
        "profile_id": "values.profile",
        "user_id": "values.owner",
        "origin_id": "values.ticket_origin",
        "case_id": "values.ticket_case",
        "priority_id": "values.priority",
        "notify": "values.notify",
    },
)
