"""Plays CRMTop, from its API reference (www.developers.crmtop.vn)."""
