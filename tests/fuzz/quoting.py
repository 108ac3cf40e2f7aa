"""A command in supervisord's file: its own parser gives exactly the arguments back."""

from __future__ import annotations

import re
import shlex

from supervisor.options import UnhosedConfigParser, expand

from deskgate.errors import InternalError
from deskgate.render import quote_command

SEPARATOR = b"\xff"  # in no UTF-8


def check(data: bytes) -> None:
    """Take the bytes for arguments."""
    argv = [word.decode("utf-8", "surrogateescape") for word in data.split(SEPARATOR)]
    try:
        text = quote_command(argv)
    except InternalError:
        assert re.search("[\0\r\ud800-\udfff]", "".join(argv)), "a good command is refused"
        return
    parser = UnhosedConfigParser()
    parser.read_string(f"[program:x]\ncommand={text}\nautostart=true\n")
    assert parser.sections() == ["program:x"], "a section beside it"
    assert sorted(parser.options("program:x")) == ["autostart", "command"], "a key beside it"
    assert shlex.split(expand(parser.get("program:x", "command"), {}, "x")) == argv
