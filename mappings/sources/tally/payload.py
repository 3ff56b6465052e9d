"""The parts of a submission that we use, named as Tally names them. Facts: tally.so/help/webhooks."""

from __future__ import annotations

from marshmallow import fields

from mappings.reading.payloads import Payload, Text, items


class Option(Payload):
    """Something that can be chosen; also a row or a column of a matrix."""

    id = Text(load_default="")
    text = Text(load_default="")


class Field(Payload):
    """A question with its answer, null where it was left out."""

    key = Text(load_default="")
    label = Text(load_default="")
    type = Text(load_default="")
    value = fields.Raw(load_default=None)
    options = items(Option)
    rows = items(Option)
    columns = items(Option)


class Data(Payload):
    """One submission."""

    form_id = Text(load_default="", data_key="formId")
    form_name = Text(load_default="", data_key="formName")
    created_at = Text(load_default="", data_key="createdAt")
    questions = items(Field, "fields")


class Delivery(Payload):
    """What is posted."""

    data = fields.Nested(Data, required=True)
