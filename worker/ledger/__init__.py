"""The only place with SQL: the durable record of events, deliveries, steps, attempts and links.

`database` opens it, `tables` says what it holds; `intake` is for the door, `deliveries` and `steps` for the
engine, `duties` for what one process at a time may do, `search` for the operator. Each function is one short
transaction, and none of them calls a CRM or the broker.
"""
