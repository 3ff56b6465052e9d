"""Plays OplaCRM, from its API reference (doc-api.oplacrm.com)."""
