"""Plays centiaCRM, from its API documentation v1 (www.centiacrm.com/api/documentation/v1)."""
