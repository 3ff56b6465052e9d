"""The command line: everything in one terminal, and the operator's questions to the ledger."""
