"""supervisor's own logger, which talks of what we do ourselves: lines for debugging."""

from __future__ import annotations

from deskgate.conductor.log import Log


class QuietLogger:
    """supervisor's logger: what it says of itself is for debugging."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def _debug(self, message: object, **values: object) -> None:
        text = str(message) % values if values else str(message)
        self._log.event("debug", text, program="supervisor")

    info = warn = debug = trace = blather = error = critical = _debug

    def log(self, level: int, message: object, **values: object) -> None:
        """Log at a level of supervisor's."""
        self._debug(message, **values)

    def close(self) -> None:
        """Nothing to close: the stream is the container's."""
