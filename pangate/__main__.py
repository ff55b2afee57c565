"""This file is `python -m pangate`."""

from __future__ import annotations

from pangate.cli import main

if __name__ == "__main__":
    main()
