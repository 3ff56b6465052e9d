"""Parameters of centiaCRM's methods that no delivery uses, as its API documentation lists them."""

from __future__ import annotations

from mappings.vendors.centiacrm import schemas
from mappings.writing.shape import shape

Login = shape("Login", required="email password", text="email password")
OfProfile = shape("Parameters of a profile", required="profile_id", id="profile_id")
OfCountry = shape("GetStates", required="country", text="country")

#: The days of a filter, from the first to the last; DD/MM/YY, also where a record's own date is otherwise.
Days = shape("Days", short_day="from to")
#: "value" bounds are texts, although a record's value is a number.
Amounts = shape("Amounts", text="from to")
_PIECE = "pagination page"

OfCompanies = shape(
    "GetCompanies",
    required="profile_id",
    id="profile_id",
    ids="company_type company_industry",
    inside={"created_at": Days},
    boolean="with_inputs with_contacts with_addresses",
    text="query",
    integer=_PIECE,
)
OfContacts = shape(
    "GetContacts",
    required="profile_id",
    id="profile_id company_id",
    ids="origin_id title_id position_id department_id",
    inside={"created_at": Days},
    boolean="with_inputs with_addresses",
    text="query",
    integer=_PIECE,
)
_PARTS = "with_user with_company with_contact with_products with_inputs"
OfOpportunities = shape(
    "GetOpportunities",
    required="profile_id",
    id="profile_id user_id",
    ids="stage contact_origin company_industry",
    # The filter is called contact_type, a new opportunity has prospect_type.
    one_of={
        "status": ("active", "pending", "won", "lost"),
        "contact_type": ("new", "existing"),
        "operation_type": ("new", "renew"),
    },
    inside={"value": Amounts, "created_at": Days, "estimated_end_at": Days, "closed_at": Days},
    boolean=_PARTS,
    text="query",
    integer=_PIECE,
)
OfProducts = shape("GetProducts", required="profile_id", id="profile_id", boolean="with_inputs")

OneCompany = shape(
    "GetCompany",
    required="profile_id search_by search_value",
    id="profile_id",
    one_of={"search_by": ("id", "client_number")},
    text="search_value",
)
OneContact = shape(
    "GetContact",
    required="profile_id search_by search_value",
    id="profile_id company_id",
    one_of={"search_by": ("id", "email")},
    text="search_value",
)
OneOpportunity = shape(
    "GetOpportunity",
    required="profile_id opportunity_id",
    id="profile_id opportunity_id",
    boolean=_PARTS,
)

ProductChanges = shape(
    "EditProduct",
    required="profile_id product_id name value",
    id="profile_id product_id",
    text=schemas.PRODUCT_TEXTS,
    number="value",
    key=schemas.PRODUCT_KEYS,
    ids="taxes",
    object="inputs",
)
