"""Plays CRMTop over HTTP: its paths, tokens, the envelope of every answer and fields in query strings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from sandbox.crmtop import fields as f
from sandbox.crmtop.actions import envelope
from sandbox.crmtop.operations import MULTIPART, OPERATIONS
from sandbox.crmtop.records import KINDS, Invalid
from sandbox.fields import Complaint, Json
from sandbox.rest import RestVendor, path_values
from sandbox.vendor import Answer, Call, Inbound, Refused

JSON_TYPES = ("application/json", "text/json")


class CrmTop(RestVendor):
    """CRMTop as its API reference describes it: one envelope, ids as the whole answer of a create."""

    name = "crmtop"
    takes_forms = True  # of seven operations; the others answer 415 by themselves
    prefix = ("api", "v1")
    kinds = tuple(KINDS)
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "client_id_honoured": ("no", "yes"),
        "repeat_code": ("duplicate", "refuse", "update"),
        "repeat_convert": ("duplicate", "refuse"),
        "repeat_member": ("duplicate", "ignore"),
        "update": ("replace", "merge"),
        "first_page": ("1", "0"),
        "search_match": ("contains", "exact"),
        "products_format": ("any", "json"),
        "multipart_fields": ("query", "form"),
        # The schema of a ticket's body says the one, its cURL example the other.
        "ticket_files": ("FormFiles", "FormFile"),
        "error_style": ("envelope", "problem"),
        "auth_error": ("http401", "envelope"),
        "bare_header": ("refuse", "accept"),
        "expiration": ("seconds", "epoch", "epoch_ms"),
        "token_lifetime_s": ("3600", "1", "60", "86400"),
    }
    credential_keys = ("client_id", "client_secret")
    operations = OPERATIONS

    def match(self, inbound: Inbound) -> Call | None:
        """Find the operation; of a multipart one, read the fields from the query or from the form."""
        call = super().match(inbound)
        if call is None or call.operation.name not in MULTIPART:
            return call
        fields = {f"{one.name[0].upper()}{one.name[1:]}": one for one in call.operation.fields}
        in_query = self.desk.options["multipart_fields"] == "query"
        given, stray = (inbound.query, inbound.body) if in_query else (inbound.body, inbound.query)
        body: Json = {}
        for name, written in given.items():
            field = fields.get(name)
            if not isinstance(field, f.Typed):
                body[f"parameter.{name}"] = written
            # ASP.NET reads an empty parameter as null.
            elif written != "":
                body[field.name] = f.TYPES[field.type][1](str(written))
        body.update({f"{'form' if in_query else 'query'}.{name}": value for name, value in stray.items()})
        files_in = self.desk.options["ticket_files"] if "ticket" in call.operation.name else "FormFile"
        body.update({f"file.{one[0]}": one[1] for one in inbound.files if one[0] != files_in})
        return replace(call, body=body, files=tuple(one for one in inbound.files if one[0] == files_in))

    def serve(self, inbound: Inbound, call: Call | None) -> Answer:
        """Serve a request whose body is of a kind that the operation takes; answer 415 to any other."""
        if call is not None and call.operation.fields and not self._takes(inbound, call.operation.name):
            return problem(415, "Unsupported Media Type")
        return super().serve(inbound, call)

    def accepts(self, inbound: Inbound) -> bool:
        """Say whether the token was issued, is not forgotten and has not come to its end."""
        token = inbound.bearer
        # The parameter tables show the bare token, the cURL examples "Bearer".
        if not token and self.desk.options["bare_header"] == "accept":
            token = inbound.authorization.strip()
        if not self.desk.store.knows_token(self.name, token):
            return False
        return int(token.partition(".")[0]) > self.desk.store.now_ms()

    def unknown(self, inbound: Inbound) -> Answer:
        """Answer as ASP.NET does where nothing is routed: an empty 404, or 405 for the wrong verb."""
        below = inbound.segments[len(self.prefix) :]
        here = inbound.segments[: len(self.prefix)] == self.prefix
        known = here and any(path_values(one.target, below) is not None for one in self.operations)
        return Answer(405 if known else 404, "")

    def refusal(self, refused: Refused) -> Answer:
        """Answer success false with HTTP 200, or the status and form of ASP.NET's problem details."""
        errors = refused.errors if isinstance(refused, Invalid) else None
        message = "Dữ liệu không hợp lệ" if errors else refused.messages[0]
        if self.desk.options["error_style"] == "problem":
            return problem(refused.status, message, errors)
        return Answer(200, envelope(refused.status, message, None, errors))

    def unauthorised(self) -> Answer:
        """Answer 401 as ASP.NET does, with a header and no body, or an envelope with HTTP 200."""
        if self.desk.options["auth_error"] == "envelope":
            return Answer(200, envelope(401, "Unauthorized", None))
        return Answer(401, "", headers={"WWW-Authenticate": "Bearer"})

    def expire_token(self) -> None:
        """Forget all issued tokens, so that this request and later ones need a new one."""
        self.desk.store.forget_tokens(self.name)

    def failure_in_success(self) -> Answer:
        """Answer an unexplained failure in the usual envelope."""
        return Answer(200, envelope(500, "Đã có lỗi xảy ra", None))

    def complain(self, complaints: Sequence[Complaint]) -> Refused:
        """Collect complaints by field, as ASP.NET's model state does."""
        errors: dict[str, list[str]] = {}
        for one in complaints:
            errors.setdefault(one.path, []).append(one.phrase)
        return Invalid(errors)

    def _takes(self, inbound: Inbound, operation: str) -> bool:
        kind = inbound.media_type
        if operation in MULTIPART:
            # All may stand in the query, with no body at all.
            return kind in ("multipart/form-data", "")
        return kind in JSON_TYPES or (kind.startswith("application/") and kind.endswith("+json"))


def problem(status: int, title: str, errors: Mapping[str, list[str]] | None = None) -> Answer:
    """Answer ASP.NET's problem details; with `errors` they are those of a failed validation."""
    body: Json = {"type": "https://tools.ietf.org/html/rfc9110", "title": title, "status": status}
    if errors:
        body |= {"title": "One or more validation errors occurred.", "errors": errors}
    return Answer(status, body, "application/problem+json")
