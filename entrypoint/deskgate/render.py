"""Render the plan: templates and values in, text out. Pure; the caller writes the files.

Values are never rendered again, an unknown name in a template is an error, and the one place
that quotes for supervisord is `quote_command`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from collections.abc import Callable, Sequence

from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from deskgate.errors import InternalError
from deskgate.plan import Plan
from deskgate.programs import ADDED, TOKENS_FILE, rfb_target
from deskgate.tokenfile import format_row

HIDDEN = "(hidden)"


def quote_command(argv: Sequence[str]) -> str:
    """Write arguments so that supervisord's parser gives exactly them back.

    The text passes five readers: configparser (continuation lines, `;` and `#` after white space
    begin a comment), supervisord's search for `%(here)s`, its `%` expansion, then shlex. Measured
    with 6000 random round trips; a test repeats them.
    """
    for arg in argv:
        if re.search("[\0\r\ud800-\udfff]", arg):
            raise InternalError("a command cannot hold NUL, CR or a lone surrogate")
    text = " ".join(shlex.quote(arg) for arg in argv)
    # supervisord puts a path in the place of %(here)s wherever it stands, also after another %.
    text = text.replace("%(here)s", "%(''here)s")
    # An empty pair of quotes parts the white space from the comment sign: both are inside
    # quotes, where the pair closes and opens them.
    text = re.sub(r"(\s)(?=[;#])", r"\1''", text)
    # A line break likewise: what follows stands on an indented continuation line.
    text = text.replace("\n", "''\n ''")
    return text.replace("%", "%%")


def render_files(plan: Plan, read_template: Callable[[str], str]) -> dict[str, bytes]:
    """Render every file of the runtime folder that a template or JSON makes.

    Args:
        read_template: name → text.
    """
    environment = SandboxedEnvironment(
        loader=FunctionLoader(read_template),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["command"] = quote_command

    def render(template: str, **values: object) -> bytes:
        return environment.get_template(template).render(values).encode()

    files = {
        "supervisord.conf": render(
            "supervisord.conf.j2",
            folder=plan.place.folder,
            programs=[row for row in plan.programs if not row.source],
            included=sorted({f"{ADDED}/{row.source}" for row in plan.programs if row.source}),
        )
    }
    if plan.programs:
        target, hide = rfb_target(plan.settings, plan.place), plan.settings.vnc_token_hash
        rows = [format_row(token, target, hide=hide) for token in plan.tokens]
        files[TOKENS_FILE] = render("tokens.j2", rows=rows)
        files["gate.json"] = json.dumps(plan.gate, indent=1).encode() + b"\n"
        files["terminal.lock"] = b""
        files["jwmrc"] = render("jwmrc.j2", folder=plan.place.folder, terminal=plan.show_terminal)
    return files


def hide_secrets(plan: Plan) -> Plan:
    """The same plan with every secret replaced, to be shown."""
    hidden = tuple(dataclasses.replace(token, value=HIDDEN) for token in plan.tokens)
    return dataclasses.replace(plan, tokens=hidden, files=dict.fromkeys(plan.files, b"(hidden)\n"))
