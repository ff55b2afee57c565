"""Crosswalks: one pure module a dialect, from the source's JSON to our records. Total: any input gives a record or a Reject."""
