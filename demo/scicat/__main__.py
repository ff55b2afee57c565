"""Serve the demo facility Freya Light Source as a SciCat backend: python -m demo.scicat --port P."""

import argparse

import uvicorn

from demo.scicat.freya import PREFIX, fill
from demo.scicat.server import app
from demo.scicat.store import Store


def main() -> None:
    """Fill a store and serve it on the loopback until stopped."""
    parser = argparse.ArgumentParser(prog="python -m demo.scicat", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--datasets", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--version", choices=("5.2", "4.25"), default="5.2")
    chosen = parser.parse_args()
    store = Store(version=chosen.version, prefix=PREFIX)
    fill(store, chosen.datasets, chosen.seed)
    uvicorn.run(
        app(store), host=chosen.host, port=chosen.port, log_level="warning", access_log=False, date_header=False
    )


if __name__ == "__main__":
    main()
