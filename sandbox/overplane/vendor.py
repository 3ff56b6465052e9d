"""Plays Overplane over HTTP: its paths, its secret key and the envelopes of its errors.

The reference prints no error at all, neither body nor status; both are options.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sandbox.fields import Complaint
from sandbox.overplane.actions import (
    create,
    delete,
    listing,
    listing_of_parent,
    read,
    reorder,
    settings,
    update,
)
from sandbox.overplane.entities import CHILDREN, ENTITIES, ROOTS, Entity
from sandbox.overplane.fields import REORDER
from sandbox.rest import RestVendor, partial
from sandbox.vendor import Answer, Call, Inbound, Operation, Refused

# Stand for the verbs that the reference does not print and that an option therefore chooses.
CHILD_UPDATE, REORDERING = "CHILD UPDATE", "REORDERING"
CODES: Mapping[int, str] = {
    400: "invalid_request",
    401: "unauthorized",
    404: "not_found",
    409: "conflict",
    422: "validation_failed",
    500: "internal_error",
}


def _root_operations(entity: Entity) -> tuple[Operation, ...]:
    kind, path, one = entity.kind, entity.path, f"{entity.path}/{{id}}"
    return (
        Operation(f"{kind}_get", "GET", one, read(entity)),
        Operation(f"{kind}_list", "GET", path, listing(entity)),
        Operation(f"{kind}_create", "POST", path, create(entity), entity.fields),
        Operation(f"{kind}_update", "PATCH", one, update(entity), partial(entity.fields)),
        Operation(f"{kind}_delete", "DELETE", one, delete(entity)),
    )


def _child_operations(entity: Entity) -> tuple[Operation, ...]:
    kind, path, one = entity.kind, entity.path, f"{entity.path}/{{id}}"
    return (
        # Before the update, whose pattern would also match this path.
        Operation(f"{kind}_reorder", REORDERING, f"{path}/reorder", reorder(entity), REORDER),
        Operation(f"{kind}_list", "GET", path, listing_of_parent(entity)),
        Operation(f"{kind}_create", "POST", path, create(entity), entity.fields),
        Operation(f"{kind}_update", CHILD_UPDATE, one, update(entity), partial(entity.fields)),
        Operation(f"{kind}_delete", "DELETE", one, delete(entity)),
    )


OPERATIONS: tuple[Operation, ...] = (
    *(operation for entity in ROOTS for operation in _root_operations(entity)),
    *(operation for entity in CHILDREN for operation in _child_operations(entity)),
    Operation("crm_settings_get", "GET", "crm/c-r-m-settings", settings),
)


class Overplane(RestVendor):
    """Overplane as its API reference describes it: bare objects, lists in an envelope, a static key."""

    name = "overplane"
    prefix = ("api",)
    kinds = tuple(ENTITIES)
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "party_name": ("id", "name"),
        "list_reference": ("either", "name", "id"),
        "item_code": ("required", "free"),
        "lead_same_email": ("duplicate", "refuse"),
        "same_item_code": ("duplicate", "refuse"),
        "largest_page": ("100", "none"),
        "totals": ("reckoned", "left"),
        "create_status": ("201", "200"),
        "invalid_status": ("400", "422"),
        "error_format": ("error", "message", "detail", "text"),
        "child_update_verb": ("PATCH", "PUT"),
        "reorder_verb": ("POST", "PUT", "PATCH"),
        "lead_api": ("present", "absent"),
        "issue_api": ("present", "absent"),
    }
    credential_keys = ("token",)
    operations = OPERATIONS

    def verb(self, operation: Operation) -> str:
        """Return the verb; those of the child objects are not printed."""
        chosen = {CHILD_UPDATE: "child_update_verb", REORDERING: "reorder_verb"}.get(operation.group)
        return operation.group if chosen is None else str(self.desk.options[chosen])

    def match(self, inbound: Inbound) -> Call | None:
        """Find the operation; an account without the lead or issue API does not know its paths."""
        call = super().match(inbound)
        api = f"{call.operation.name.rpartition('_')[0]}_api" if call else ""
        return None if self.desk.options.get(api) == "absent" else call

    def accepts(self, inbound: Inbound) -> bool:
        """Compare the secret key with the static ones; there is no login."""
        return any(one["token"] == inbound.bearer for one in self.desk.credentials)

    def unknown(self, inbound: Inbound) -> Answer:
        """Answer 404 for a path that the API does not have."""
        return self.refusal(Refused(404, f"No route {inbound.verb} /{'/'.join(inbound.segments)}"))

    def refusal(self, refused: Refused) -> Answer:
        """Answer in the error format that the options choose."""
        return self._error(refused.status, refused.status, "; ".join(refused.messages))

    def unauthorised(self) -> Answer:
        """Answer a request without a valid key."""
        return self.refusal(Refused(401, "Invalid API key"))

    def expire_token(self) -> Answer:
        """Refuse the static key for this one request."""
        return self.unauthorised()

    def failure_in_success(self) -> Answer:
        """Answer 200 with an error in the body, as a gateway that swallows the status would."""
        return self._error(200, 500, "Unexpected error")

    def complain(self, complaints: Sequence[Complaint]) -> Refused:
        """Word each complaint as the field and what it must be."""
        wording = {"unknown": "is not a field of this object"}
        messages = [f"{one.path}: {wording.get(one.reason, one.phrase)}" for one in complaints]
        return Refused(int(self.desk.options["invalid_status"]), *messages)

    def _error(self, status: int, meant: int, message: str) -> Answer:
        bodies = {
            "error": {"error": {"message": message, "code": CODES[meant]}},
            "message": {"message": message},
            "detail": {"detail": message},
        }
        chosen = str(self.desk.options["error_format"])
        return Answer(status, bodies[chosen]) if chosen in bodies else Answer(status, message, "text/plain")
