"""The ledger: an append-only store of what happened, and the tracking that reads it."""
