"""This package is records as RDF: DCAT-AP 3.0.1, pure, in terms that no hostile text can break."""
