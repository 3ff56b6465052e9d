"""The sandbox that plays the CRMs, held against the documents that it was made from."""
