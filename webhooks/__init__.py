"""The door: check, store, hand over, answer. Nothing else happens in a request.

No CRM is called here, no mapping is run and no broker is waited for.
"""
