"""This package is records in the dialects of the web: schema.org, signposting, citations. Pure."""
