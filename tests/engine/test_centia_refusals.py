"""centiaCRM says why in a text without a code; what each text means decides who has to act."""

from __future__ import annotations

import pytest

from worker.vendors.centiacrm.refusals import meaning_of

#: Texts about the token or the login: nothing was done, and a new login mends it.
TOKEN = """
Token expired
The token is invalid.
The token field is required.
Invalid token
Invalid access token.
The provided token has been revoked: expired token
Could not verify you: token is expired
No token provided
A token is required
token_expired
token_not_provided
invalid_token
Unauthenticated.
Unauthorized
Expired
Your session has expired.
Session expired, please log in again
Your session has timed out
You must log in to continue
You must be logged in.
Please log in.
Login required
El token es inválido
El token ha expirado.
Token no válido
Su token de acceso ha caducado
El campo token es obligatorio
Se requiere iniciar sesión
Debe iniciar sesión para continuar
La sesión ha expirado
Su sesión ha caducado.
Sesión inválida
No autorizado
Usuario no autenticado
"""
#: Texts about the record: trying again changes nothing, and a login neither.
RECORD = """
The name field is required.
The selected user_id is invalid.
The contact must belong to the company selected.
The session_id field is required.
The session field is invalid.
The log in page field must be a valid URL.
The login field has expired and must be filled again.
The selected token_type is invalid.
The expired_at field must be a date.
The discount is expired and not found.
The product Session expired tea was not found in the selected profile.
The product Session Planning does not exist
The title must not mention the log in page
The blog in question does not exist
The estimated end must be a date after today
The opportunity was not found.
Invalid stage
El campo título es obligatorio.
El campo sesión es obligatorio.
El campo fecha de expiración no es válido
El campo inicio de sesión debe ser una cadena.
El contacto no pertenece a la empresa
El producto Sesión de fotos no existe
La etapa seleccionada no existe
El vendedor debe ser un usuario
Etapa no válida
No se encontró la empresa
El parámetro session no existe
"""
#: Texts about neither: it may have been carried out, and may work later.
UNKNOWN = """
Unexpected error
SQLSTATE[40001]: Serialization failure
Error inesperado, intente más tarde
Service unavailable
Deadlock while logging in the event
Catalog index busy
no error text
"""
CASES = [
    (text, meaning)
    for meaning, texts in (("token", TOKEN), ("record", RECORD), ("unknown", UNKNOWN))
    for text in texts.strip().splitlines()
]


@pytest.mark.parametrize(("said", "meaning"), CASES)
def test_a_refusal_means_what_it_speaks_of(said: str, meaning: str) -> None:
    """Else a field called session holds the whole connection, or an expired token parks each order for a person."""
    assert meaning_of(said) == meaning
    assert meaning_of(said.upper()) == meaning
