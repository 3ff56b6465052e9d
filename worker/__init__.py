"""The engine: the durable ledger, the deliveries and their retries, the CRMs.

The ledger decides what is due and Celery carries it out, so the broker may be lost at any moment.
Nothing here knows HTTP requests of senders; nothing here knows what a payload means.
"""
