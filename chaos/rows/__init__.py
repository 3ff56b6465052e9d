"""All rows of the table, in its order: explicit, one line each."""

from __future__ import annotations

from chaos.fault import Fault
from chaos.rows import broker, crm, host, ledger, processes

ROWS: tuple[Fault, ...] = (
    processes.WORKER_KILLED,
    processes.RECEIVER_KILLED,
    processes.SWEEP_KILLED,
    processes.SWEEP_FROZEN,
    processes.ROLLING_RESTART,
    broker.FLUSHED,
    broker.STOPPED,
    broker.EMPTIED,
    broker.FROZEN,
    broker.HALF_OPEN,
    ledger.RESTARTED,
    ledger.CUT,
    ledger.WORKER_KILLED,
    ledger.DISK_FULL,
    crm.DROPS,
    crm.LAGS,
    crm.ONE_CUSTOMER,
    crm.SLOW,
    crm.ERRORS,
    crm.DOWN,
    crm.TOKEN_REVOKED,
    host.CLOCK_BACK,
    host.CUT_OFF,
    host.SWALLOWED,
)
BY_NAME = {fault.name: fault for fault in ROWS}
