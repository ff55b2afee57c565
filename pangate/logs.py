"""This file is how a long-running process tells what it does: JSON lines for machines, plain lines on a terminal."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


class _Out:
    """Standard output that rather loses a line than ends who writes it: the log may lie on the disk that is full."""

    def write(self, text: str) -> None:
        """As a file."""
        with suppress(OSError):
            sys.stdout.write(text)

    def flush(self) -> None:
        """As a file."""
        with suppress(OSError):
            sys.stdout.flush()


def begin(level: str, *, json: bool) -> None:
    """Log to standard output, our own loggers and the libraries' alike: one JSON object a line, or readable lines when a person looks
    on (a terminal, and `json` not asked for)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    shown: structlog.typing.Processor = structlog.dev.ConsoleRenderer()
    if json or not sys.stdout.isatty():
        shared.append(structlog.processors.format_exc_info)
        shown = structlog.processors.JSONRenderer()
    out = cast("TextIO", _Out())
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[*shared, shown],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=shown, foreign_pre_chain=shared))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
