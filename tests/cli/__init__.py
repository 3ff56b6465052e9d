"""The commands about the CRMs, against a sandbox on a socket."""
