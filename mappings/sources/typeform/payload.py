"""The parts of a submission that we use, named as Typeform names them.

Facts: typeform.com/developers, "Example payload".
"""

from __future__ import annotations

from marshmallow import fields

from mappings.reading.payloads import Payload, Text, items, part


class Question(Payload):
    """A question, in the form's definition and, without its title, beside the answer."""

    id = Text(load_default="")
    ref = Text(load_default="")
    type = Text(load_default="")
    title = Text(load_default="")


class Reply(Payload):
    """An answer; its value is looked up in the payload, under the key named by `type`."""

    type = Text(load_default="")
    field = part(Question)


class Definition(Payload):
    """The form as it was when it was answered."""

    title = Text(load_default="")
    questions = items(Question, "fields")


class Calculated(Payload):
    """What the form computed."""

    score = Text(load_default="")


class Variable(Payload):
    """What the form's logic computed; the value stands under the key that `type` names."""

    key = Text(load_default="")
    type = Text(load_default="")
    text = Text(load_default="")
    number = Text(load_default="")
    outcome_id = Text(load_default="")


class Response(Payload):
    """One submission."""

    form_id = Text(load_default="")
    submitted_at = Text(load_default="")
    hidden = fields.Dict(load_default=dict)
    calculated = part(Calculated)
    variables = items(Variable)
    definition = part(Definition)
    answers = items(Reply)


class Delivery(Payload):
    """What is posted."""

    form_response = fields.Nested(Response, required=True)
