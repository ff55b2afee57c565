"""This package is the GraphQL interface: types, the order of checks, and its three transports."""
