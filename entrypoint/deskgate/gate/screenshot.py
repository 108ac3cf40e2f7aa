"""`/api/screenshot.png`: asks a process of its own for the picture; one at a time."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from deskgate.gate import limits, log
from deskgate.gate.answers import unavailable
from deskgate.gate.keeper import Keeper
from deskgate.gate.messages import Answer, Screenshot


async def take(decision: Screenshot, keeper: Keeper) -> Answer:
    """A picture of the screen, or 503."""
    if keeper.snapping >= limits.SCREENSHOTS:
        return unavailable(keeper.context())
    keeper.snapping += 1
    try:
        async with keeper.camera:
            data = await _snap(Path(keeper.config.tokens).with_name("gate.json"))
    finally:
        keeper.snapping -= 1
    if not data:
        return unavailable(keeper.context())
    return Answer(status=200, headers=decision.headers, body=data)


async def _snap(config: Path) -> bytes:
    words = (sys.executable, "-I", "-m", "deskgate.gate.snap", str(config))
    child = await asyncio.create_subprocess_exec(
        *words, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, env={}
    )
    try:
        async with asyncio.timeout(limits.SCREENSHOT_SECONDS):
            data, _ = await child.communicate()
    except TimeoutError:
        data = b""
        log.warning("no screenshot: Xvnc does not answer")
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()
    return data if child.returncode == 0 else b""
