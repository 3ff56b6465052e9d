"""Plays Overplane, from its API reference (overplane.com/api-reference)."""
