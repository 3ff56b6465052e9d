"""The meaning: what a sender's payload asks for, and how a vendor wants to hear it.

Everything here is pure: no clock, no network, no database, no environment. A source turns a payload into
commands; a vendor turns a command into the records that should exist. Same input, same output, always.
"""
