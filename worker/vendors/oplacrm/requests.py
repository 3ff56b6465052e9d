"""Inputs of OplaCRM's operations that no delivery uses, as its API reference lists them.

What the reference calls required although nobody need know it is `blank`: sent empty, as a delivery does.
"""

from __future__ import annotations

from mappings.vendors.oplacrm import schemas
from mappings.writing.shape import shape

#: The parameters of every list; "Default: 0" and "Default: 20".
_PIECE = "skip take"

OfContacts = shape("List contacts", integer=_PIECE, blank="account_external_id external_id")
OfAccounts = shape("List accounts", integer=_PIECE, blank="external_id tax_identification_number")
OfLeads = shape("List leads", integer=_PIECE, text="external_id")
OfEmployees = shape("List employees", integer=_PIECE, blank="search")
#: "Default: null": left out, they are so; sent empty, they might ask for a process without a name.
OfOpportunities = shape("List opportunities", integer=_PIECE, text="sales_process sales_process_stages")

#: Its `external_id` is described as an employee's, with MNV_001 for an example; it is the contact's own key,
#: and another one than the path's would rename the record.
ContactChanges = shape(
    "UpdateContactDto",
    required="first_name last_name external_id",
    text="first_name last_name external_id",
    blank=schemas.CONTACT_BLANKS,
    one_of=schemas.GENDER,
    inside=schemas.CONTACT_PHONES,
    defaults=schemas.NO_PHONES,
)
AccountChanges = shape(
    "UpdateAccountDto",
    required="name external_id",
    text="name external_id",
    blank=schemas.ACCOUNT_BLANKS,
    boolean="is_public",
    inside={"phone": schemas.Phone},
    # "Array of strings", although the sample is one string.
    texts="custom_fields",
    defaults={"is_public": False, "phone": schemas.no_phone, "custom_fields": list},
)
#: Both are external ids.
AccountEmployee = shape(
    "AccountEmployeeDto", required="account_id employee_id", text="account_id employee_id"
)

NewEmployee = shape(
    "CreateEmployeeDto",
    required="first_name last_name email",
    text="first_name last_name",
    email="email",
    blank="dimension_id site_id external_id",
)
EmployeeChanges = shape(
    "UpdateEmployeeDto",
    required="first_name last_name",
    text="first_name last_name",
    blank="dimension_id site_id",
)

#: `external_id` has a default that is the moment at which the document was made, so here it is required.
NewProduct = shape(
    "CreateProductDto",
    required="name price external_id",
    text="name external_id",
    number="price",
    blank=schemas.PRODUCT_BLANKS,
)
ProductChanges = shape(
    "UpdateProductDto",
    required="name price",
    text="name",
    number="price",
    blank=schemas.PRODUCT_BLANKS,
)

_SUPPLIER = "buyer_group_id buyer_group_name main_contact_id"
NewSupplier = shape(
    "CreateSupplierDto", required="name external_id", text="name external_id", blank=_SUPPLIER
)
SupplierChanges = shape("UpdateSupplierDto", required="name", text="name", blank=_SUPPLIER)

#: Units of measure and buyer groups.
Described = shape(
    "CreateUnitOfMeasureDto", required="name external_id", text="name external_id", blank="description"
)
DescribedChanges = shape("UpdateUnitOfMeasureDto", required="name", text="name", blank="description")
