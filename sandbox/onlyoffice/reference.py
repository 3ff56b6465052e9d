"""Holds the reference lists of the played portal: users, stages, categories, currencies, custom fields.

The ids of different lists never overlap, so that an id taken from the wrong list is always refused.
"""

from collections.abc import Mapping

from sandbox.fields import Json

NOBODY = "00000000-0000-0000-0000-000000000000"


def _user(number: int, first: str, last: str, title: str) -> Json:
    return {
        "id": f"a1b2c3d4-0000-4000-8000-{number:012d}",
        "userName": f"{first}.{last}".lower(),
        "firstName": first,
        "lastName": last,
        "displayName": f"{first} {last}",
        "email": f"{first}.{last}@example.com".lower(),
        "title": title,
        "status": 1,
        "isAdmin": number == 1,
        "isVisitor": False,
        "avatarSmall": "/skins/default/images/default_user_photo_size_32-32.png",
        "profileUrl": f"/products/people/profile.aspx?user={first}.{last}".lower(),
    }


# The first is the user whose e-mail and password the API client logs in with.
USERS: tuple[Json, ...] = (
    _user(1, "Api", "Relay", "Integration"),
    _user(2, "Nora", "Lind", "Sales manager"),
    _user(3, "Ivan", "Petrov", "Sales"),
    _user(4, "Maria", "Costa", "Support"),
)


def _listed(first_id: int, titles: str) -> list[Json]:
    return [
        {
            "id": first_id + place,
            "title": title,
            "description": "",
            "color": "",
            "sortOrder": place,
            "relativeItemsCount": 0,
        }
        for place, title in enumerate(titles.split("|"))
    ]


def _stages(first_id: int, stages: str) -> list[Json]:
    made = []
    for place, stage in enumerate(stages.split("|")):
        title, probability, kind = stage.split(":")
        made.append(
            {
                "id": first_id + place,
                "title": title,
                "description": "",
                "color": "#bfbfbf",
                "sortOrder": place,
                "successProbability": int(probability),
                # 0 Open, 1 ClosedAndWon, 2 ClosedAndLost
                "stageType": int(kind),
                "relativeItemsCount": 0,
            }
        )
    return made


LISTS: Mapping[str, list[Json]] = {
    "stage": _stages(
        101,
        "Initial contact:1:0|Preliminary meeting:2:0|Discussion:10:0|Contract:50:0|Solution testing:70:0"
        "|Closed and won:100:1|Closed and lost:0:2",
    ),
    "status": _listed(201, "Cold|Warm|Hot"),
    "type": _listed(301, "No category|Client|Supplier|Partner|Competitor"),
    "task_category": _listed(401, "Call|Deal|Demo|Email|Fax|Follow-up|Lunch|Meeting|Note|Delivery"),
    "history_category": _listed(501, "Note|Email|Call|Meeting"),
    "tax": [
        {"id": 701, "name": "VAT 20 %", "description": "", "rate": 20},
        {"id": 702, "name": "VAT 10 %", "description": "", "rate": 10},
    ],
}


def _currency(abbreviation: str, symbol: str, title: str, culture: str) -> Json:
    return {
        "title": title,
        "symbol": symbol,
        "abbreviation": abbreviation,
        "cultureName": culture,
        "isConvertable": True,
        "isBasic": True,
    }


CURRENCIES: Mapping[str, Json] = {
    "USD": _currency("USD", "$", "United States Dollar", "US"),
    "EUR": _currency("EUR", "€", "Euro", "EU"),
    "GBP": _currency("GBP", "£", "Pound Sterling", "GB"),
    "CHF": _currency("CHF", "Fr", "Swiss Franc", "CH"),
    "MXN": _currency("MXN", "$", "Mexican Peso", "MX"),
    "VND": _currency("VND", "₫", "Vietnamese Dong", "VN"),
    "JPY": _currency("JPY", "¥", "Japanese Yen", "JP"),
    "RUB": _currency("RUB", "₽", "Russian Ruble", "RU"),
}


def _custom(first_id: int, labels: str) -> list[Json]:
    return [
        {
            "id": first_id + place,
            "entityId": 0,
            "label": label.split(":")[0],
            "fieldValue": None,
            "fieldType": int(label.split(":")[1]),
            "position": place,
            "mask": '{"size":"40"}' if label.endswith(":0") else "",
            "relativeItemsCount": 0,
        }
        for place, label in enumerate(labels.split("|"))
    ]


# Types: 0 TextField, 1 TextArea, 2 SelectBox, 3 CheckBox, 4 Heading, 5 Date.
CUSTOM_FIELDS: Mapping[str, list[Json]] = {
    "contact": _custom(601, "External id:0"),
    "person": _custom(611, "Language:0|Newsletter:3"),
    "company": _custom(621, "Tax number:0"),
    "opportunity": _custom(631, "External id:0|Order note:1|Order date:5"),
    "case": _custom(641, "External id:0|Priority:0"),
}

INFO_TYPES = (
    "Phone|Email|Website|Skype|Twitter|LinkedIn|Facebook|Address|LiveJournal|MySpace|GMail|Blogger|Yahoo"
    "|MSN|ICQ|Jabber|AIM|VK"
).split("|")
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "Phone": ("Home", "Work", "Mobile", "Fax", "Direct", "Other"),
    "Address": ("Home", "Postal", "Office", "Billing", "Other", "Work"),
    "": ("Home", "Work", "Other"),
}
BID_TYPES = ("FixedBid", "PerHour", "PerDay", "PerWeek", "PerMonth", "PerYear")
SHARE_TYPES = ("None", "ReadWrite", "Read")


def categories(info_type: int) -> tuple[str, ...]:
    """Return the category names of an info type; a category's number is its place."""
    return CATEGORIES.get(INFO_TYPES[info_type], CATEGORIES[""])


def listed(name: str, wanted: int) -> Json | None:
    """Return the item of a list with this id, or None."""
    return next((item for item in LISTS[name] if item["id"] == wanted), None)


def user(wanted: str) -> Json | None:
    """Return the user with this id, or None."""
    return next((person for person in USERS if person["id"] == wanted), None)


def definitions(entity_type: str) -> list[Json]:
    """Return the custom fields that records of an entity type have; person and company share the contact's."""
    own = CUSTOM_FIELDS[entity_type]
    return [*CUSTOM_FIELDS["contact"], *own] if entity_type in ("person", "company") else own
