"""This file is the command: serve the invented facility skadi as an ICAT 6.2.0 on a loopback port.

The account that sees everything is db/reader with the password reader-secret; when DEMO_ICAT_PASSWORD is set, it is
db/harvester with that password instead.
"""

from __future__ import annotations

import argparse
import os

import uvicorn

from demo.icat.content import fill
from demo.icat.server import configuration
from demo.icat.store import Store


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(
        prog="python -m demo.icat", description="An invented neutron facility behind an ICAT"
    )
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--seed", type=int, default=1, help="seed of the invented content")
    parser.add_argument("--datasets", type=int, default=2000, help="how many datasets to invent")
    given = parser.parse_args()
    store = Store()
    password = os.environ.get("DEMO_ICAT_PASSWORD")
    account = {"reader": "db/harvester", "password": password} if password else {}
    fill(store, given.seed, given.datasets, **account)
    uvicorn.Server(configuration(store, given.port)).run()


if __name__ == "__main__":
    main()
