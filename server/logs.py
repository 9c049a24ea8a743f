"""Structured logs: one JSON object a line, with what was passed as `extra`.

Call sites give facts by name and never message texts, names of people or tokens; tracebacks are kept,
since an exception's text is ours or a library's; but not of what passes by itself (`Temporary`).
"""

import json
import logging
import sys
from datetime import UTC, datetime

from aiohttp.http import HttpProcessingError

from server.errors import Temporary

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in _STANDARD})
        if record.exc_info:
            fault = record.exc_info[1]
            is_short = isinstance(fault, Temporary)
            line["exception"] = str(fault) if is_short else self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def without_what_strangers_sent(record: logging.LogRecord) -> bool:
    """Say of requests that are no HTTP only that they came: scanners send many, and the exception
    quotes what it could not read. To be used as a filter; keeps every record."""
    if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
        record.msg, record.args = "a request that is no HTTP was refused", ()
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.exc_info = None
    return True


def start_logging(level: str) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("aiohttp.server").addFilter(without_what_strangers_sent)
    # Their lines hold addresses with tokens, or one line for every packet.
    for noisy in ("aiohttp.access", "engineio", "socketio", "httpx", "httpcore", "zeep", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
