"""First floor: what is kept. The SQL truth, its change sequence, the ledger, and the indexes projected from it."""
