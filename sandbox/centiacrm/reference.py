"""Holds the reference lists of the played centiaCRM account: profiles, users, stages, types and so on.

The documentation shows no item of any list; ids and names are invented, and the ids of different lists
never overlap, so that an id taken from the wrong list is always refused.
"""

from collections.abc import Mapping

from sandbox.fields import Json


def _named(first_id: int, names: str) -> list[Json]:
    return [{"id": first_id + place, "name": name} for place, name in enumerate(names.split("|"))]


def _inputs(first_id: int, labels: Mapping[str, str]) -> list[Json]:
    return [
        {"id": first_id + place, "slug": slug, "name": name, "type": "text"}
        for place, (slug, name) in enumerate(labels.items())
    ]


def _users(first_id: int, people: str) -> list[Json]:
    made: list[Json] = []
    for place, person in enumerate(people.split("|")):
        name, surname = person.split()
        email = f"{name}.{surname}@example.mx".lower()
        made.append({"id": first_id + place, "name": name, "surname": surname, "email": email})
    return made


def _coded(first_id: int, pairs: str) -> list[Json]:
    return [
        {"id": first_id + place, "code": pair.split(":")[0], "name": pair.split(":")[1]}
        for place, pair in enumerate(pairs.split("|"))
    ]


PROFILES: list[Json] = [{"id": 1, "name": "Ventas"}]

COUNTRIES: list[Json] = _coded(601, "MX:México|US:Estados Unidos|CO:Colombia|ES:España")

STATES: Mapping[str, list[Json]] = {
    "MX": _coded(
        701,
        "AGU:Aguascalientes|BCN:Baja California|CMX:Ciudad de México|GUA:Guanajuato|JAL:Jalisco|MEX:México"
        "|NLE:Nuevo León|PUE:Puebla|QUE:Querétaro|VER:Veracruz|YUC:Yucatán",
    ),
    "US": _coded(741, "CA:California|FL:Florida|NY:New York|TX:Texas"),
    "CO": _coded(761, "ANT:Antioquia|DC:Bogotá|VAC:Valle del Cauca"),
    "ES": _coded(781, "B:Barcelona|M:Madrid|V:Valencia"),
}

LISTS: Mapping[int, Mapping[str, list[Json]]] = {
    1: {
        "stages": _named(11, "Prospección|Contacto|Propuesta|Negociación|Cierre|Perdida"),
        "users": _users(31, "Ana García|Luis Hernández|Sofía Ramírez"),
        "company_types": _named(51, "Cliente|Prospecto|Proveedor"),
        "company_industries": _named(71, "Comercio|Manufactura|Servicios|Tecnología|Otro"),
        "company_inputs": _inputs(91, {"canal": "Canal"}),
        "contact_origins": _named(111, "Sitio web|Tienda en línea|Referido|Llamada"),
        "contact_titles": _named(131, "Sr.|Sra.|Lic.|Ing."),
        "contact_departments": _named(151, "Compras|Ventas|Dirección|Sistemas"),
        "contact_positions": _named(171, "Director|Gerente|Comprador|Asistente"),
        "contact_inputs": _inputs(191, {"idioma": "Idioma"}),
        "product_categories": _named(211, "General|Electrónica|Hogar"),
        "product_validities": _named(231, "30 días|60 días|1 año"),
        "product_discounts": _named(251, "Sin descuento|10 %|20 %"),
        "product_measures": _named(271, "Pieza|Caja|Kilogramo|Servicio"),
        "product_taxes": [
            {"id": 291, "name": "IVA 16 %", "value": 0.16},
            {"id": 292, "name": "IVA 8 %", "value": 0.08},
            {"id": 293, "name": "Exento", "value": 0.0},
        ],
        "product_inputs": _inputs(311, {"color": "Color", "talla": "Talla"}),
        "opportunity_inputs": _inputs(331, {"pedido": "Pedido"}),
        "ticket_origins": _named(351, "Correo|Teléfono|Sitio web|Chat"),
        "ticket_cases": _named(371, "Pregunta|Problema|Queja|Devolución"),
        "ticket_priorities": _named(391, "Baja|Media|Alta|Urgente"),
    }
}


def has_id(profile_id: int, listed: str, wanted: object) -> bool:
    """Say whether a list of the profile has an item with this id, given as integer or as digits."""
    return any(str(item["id"]) == str(wanted) for item in LISTS[profile_id][listed])


def item(profile_id: int, listed: str, wanted: int) -> Json | None:
    """Return the item with this id of a list of the profile, or None."""
    return next((one for one in LISTS[profile_id][listed] if one["id"] == wanted), None)
