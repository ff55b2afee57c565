"""The migrations of the SQL truth, run when it is opened."""
