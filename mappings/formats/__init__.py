"""How money, phone numbers, keys and texts are written, whoever sends or receives them."""
