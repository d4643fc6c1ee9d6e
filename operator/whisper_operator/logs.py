"""One line of JSON for each thing that happened. Objects and tokens are never logged, only their names."""

import json
import logging
import sys
from datetime import UTC, datetime

PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
NOISY = ("asyncio", "aiohttp.access", "urllib3")


class JsonFormatter(logging.Formatter):
    """A record as one JSON object; what was passed as `extra` becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        found: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        found |= {
            key: value if isinstance(value, int | float | bool) else str(value)
            for key, value in record.__dict__.items()
            if key not in PLAIN
        }
        if record.exc_info:
            found["error"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False)


def configure(level: str) -> None:
    """Send everything to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
