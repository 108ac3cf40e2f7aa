"""Arbitrary commands and values, through the real chain to a child's arguments and environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from deskgate.conductor.embed import load
from deskgate.render import quote_command
from tests.examples import examples

from .test_embed import CONFIG, finish, make_options, spawn

# Writes its own arguments and environment to where standard output goes, or to a file.
TELL = "cat /proc/$$/cmdline /proc/$$/environ"
TELL_FILE = f'exec >"$0"; {TELL}'
MAX_VALUE = 8192  # bytes, as our own settings may have (E6)
# What supervisord's file can express: no NUL, no CR, no lone surrogate.
WORD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))
BYTES = st.binary(max_size=60).map(lambda data: data.replace(b"\0", b""))
TEXT = st.text(max_size=40).map(lambda text: text.encode("utf-8", "ignore").replace(b"\0", b""))
LONG = st.integers(0, MAX_VALUE).map(lambda size: b"%(x)s\n;'\xff" * (size // 9))
VALUE = BYTES | TEXT | LONG
# A prefix keeps them from being names that a shell or Python reads.
NAME = (BYTES | TEXT).map(lambda data: b"X_" + data.replace(b"=", b""))
ENVIRONMENT = st.dictionaries(NAME, VALUE, max_size=4)
LOCALES = (None, b"C", b"POSIX", b"C.UTF-8", b"de_DE.ISO-8859-1", b"")


def told(data: bytes, count: int) -> tuple[list[bytes], dict[bytes, bytes]]:
    """The last arguments of `count`, and the environment, that TELL wrote."""
    fields = data.split(b"\0")[:-1]
    pairs = (field.partition(b"=") for field in fields[count:])
    return fields[:count], {name: value for name, _, value in pairs}


@pytest.mark.parametrize("locale", ["utf-8", "another"])
def test_e4_the_file_is_read_as_it_was_written(tmp_path: Path, locale: str) -> None:
    """Also under a locale with another encoding, which Python would read files in."""
    words = ["echo", "Grüße", "你好", "🦊"]
    path = tmp_path / "supervisord.conf"
    text = CONFIG.format(folder=tmp_path, command=quote_command(words))
    path.write_text(text, encoding="utf-8")
    program = (
        "import json, sys; from deskgate.conductor.embed import Options, load;"
        "from deskgate.conductor.log import Log; log = Log(level='error', form='text', secrets=[]);"
        "load(sys.argv[1], Options(log, on_output=print, on_error=print),"
        " {'echo': json.loads(sys.argv[2])})"
    )
    as_utf_8 = {"utf-8": "1", "another": "0"}[locale]
    command = [
        sys.executable,
        "-X",
        f"utf8={as_utf_8}",
        "-c",
        program,
        str(path),
        json.dumps(words),
    ]
    environ = {"PYTHONPATH": os.pathsep.join(sys.path), "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@given(argv=st.lists(WORD, max_size=5), environ=ENVIRONMENT)
@settings(
    max_examples=examples(50),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(
    argv=["%(ENV_X_A)s", "%", ";", " ;", "#", "'", '"', "\\", "\n", ""], environ={b"X_A": b"%"}
)
@example(argv=["$HOME", "`id`", "{{7*7}}"], environ={b"X_\xff": b"\xfe\n[program:x]\ncommand=id"})
@example(argv=[], environ={b"X_A": b"a" * MAX_VALUE, b"X_": b"", b"X_B": b"="})
def test_e4_any_command_and_value_reaches_a_program_unchanged(
    tmp_path: Path, argv: Sequence[str], environ: Mapping[bytes, bytes]
) -> None:
    """Quoted, read by supervisor's own parser, expanded, forked and executed by it, to the byte."""
    file = tmp_path / "told"
    words = ["sh", "-c", TELL_FILE, str(file), *argv]
    config = tmp_path / "supervisord.conf"
    text = CONFIG.format(folder=tmp_path, command=quote_command(words))
    config.write_text(text, encoding="utf-8")
    before = dict(os.environb)
    os.environb.update(environ)
    try:
        made = make_options([])
        load(str(config), made, {"echo": words})
        status = finish(spawn(made))
        given = dict(os.environb)
    finally:
        os.environb.clear()
        os.environb.update(before)
    assert status == 0
    arguments, variables = told(file.read_bytes(), len(words))
    assert arguments == [os.fsencode(word) for word in words]
    assert variables == given


PASS_ON = """
import json, sys
sys.path[:0] = {path!r}
from deskgate.conductor.foreground import execute
from deskgate.files import read_environment
told = json.dumps([sys.argv[1:], read_environment()]).encode("ascii")
execute(*json.loads(told))
"""


@given(argv=st.lists(VALUE, max_size=5), environ=ENVIRONMENT, locale=st.sampled_from(LOCALES))
@settings(max_examples=examples(20))
@example(argv=[b"\xff\xfe", b"%", b"a\nb", b""], environ={b"X_": b"\xff"}, locale=None)
@example(argv=["Grüße 🦊".encode()], environ={b"X_A": "Grüße".encode()}, locale=b"C")
@example(argv=[b"a" * MAX_VALUE], environ={b"X_A": b"\n%;" * 2000}, locale=b"C.UTF-8")
def test_e7_any_bytes_reach_the_users_command_unchanged(
    argv: Sequence[bytes], environ: Mapping[bytes, bytes], locale: bytes | None
) -> None:
    """Read as `deskgate run` reads them, handed to PID 1 as it hands them, and executed.

    They need be no text in any encoding, and Python may think that they are in another one.
    """
    given = {
        b"PATH": b"/usr/bin:/bin",
        **({} if locale is None else {b"LC_ALL": locale}),
        **environ,
    }
    words = [b"sh", b"-c", TELL.encode(), b"sh", *argv]
    program: list[str | bytes] = [sys.executable, "-I", "-c", PASS_ON.format(path=sys.path)]
    done = subprocess.run([*program, *words], env=given, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert told(done.stdout, len(words)) == (words, given)
