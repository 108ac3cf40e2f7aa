"""Keys of a drop-in's section: what each may hold, in supervisord's words and in ours. Pure.

Never wider than supervisord's own parser, which comes after: what it cannot read it answers with
the value and the name of every variable.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Final

from deskgate.forms import Form, FormError, word_list
from deskgate.signs import endpoint, read_sign

TRUE: Final = ("yes", "true", "on", "1")
FALSE: Final = ("no", "false", "off", "0")
# `%%`, or a name, which may be written as a number of so many digits.
PERCENT: Final = re.compile(r"%(?:%|\(([^()%]+)\)(?:s|0?[0-9]?d))")
RENAMED: Final = "%(program_name)s"


def expand(text: str, names: Mapping[str, object]) -> str:
    """Put values in the place of `%(NAME)s`, as supervisord does.

    Raises:
        FormError: what is allowed; never a value.
    """
    if "%" in PERCENT.sub("", text):
        raise FormError("write %% for a percent sign, and %(ENV_NAME)s for a variable")
    for name in PERCENT.findall(text):
        if name and name not in names:
            secret = ", or it holds a secret" if name.startswith("ENV_") else ""
            raise FormError(f"there is no %({name})s here{secret}")
    try:
        return text % names
    except TypeError:  # a word, written as a number
        raise FormError("write %(NAME)s, such as %(ENV_HOME)s") from None


def flag(text: str) -> bool:
    """Yes or no."""
    if text.lower() in TRUE + FALSE:
        return text.lower() in TRUE
    raise FormError("give true or false")


def auto_restart(text: str) -> str:
    """When to start it again: `always`, `unexpected` or `never`."""
    if text.lower() == "unexpected":
        return "unexpected"
    try:
        return "always" if flag(text) else "never"
    except FormError:
        raise FormError("give true, false or unexpected") from None


def whole_number(text: str) -> int:
    """Also below zero, as a priority may be."""
    if re.fullmatch(r"-?[0-9]{1,9}", text):
        return int(text)
    raise FormError("give a whole number, such as 999")


def seconds(text: str) -> int:
    """A time of a program's."""
    if re.fullmatch(r"[0-9]{1,5}", text):
        return int(text)
    raise FormError("give a whole number of seconds, such as 30")


def one(text: str) -> int:
    """How many of a program there are."""
    if text == "1":
        return 1
    raise FormError("give 1: each program is one process; write a section for each")


def size(text: str) -> str:
    """Bytes, in supervisord's words."""
    if re.fullmatch(r"[0-9]{1,9}(kb|mb|gb)?", text.lower()):
        return text
    raise FormError("give a number of bytes, such as 50MB")


def umask(text: str) -> int:
    """An octal number."""
    if re.fullmatch(r"[0-7]{1,4}", text):
        return int(text, 8)
    raise FormError("give an octal number, such as 022")


def exit_codes(text: str) -> tuple[int, ...]:
    """Statuses, separated by commas; none at all is allowed."""
    words = [word.strip() for word in text.split(",")] if text else []
    if all(re.fullmatch(r"[0-9]{1,3}", word) and int(word) < 256 for word in words):
        return tuple(map(int, words))
    raise FormError("give statuses from 0 to 255, such as 0,2")


def signal_name(text: str) -> str:
    """A signal, with or without its SIG."""
    from signal import Signals  # late: few sections name one

    names = {each.name.removeprefix("SIG"): str(each.value) for each in Signals}
    if text.upper().removeprefix("SIG") in names or text in names.values():
        return text
    raise FormError("give a signal, such as TERM or INT")


def pairs(text: str) -> dict[str, str]:
    """`NAME="value",OTHER="value"`, cut as supervisord cuts it."""
    lexer = shlex.shlex(text)
    lexer.wordchars += "/.+-():"
    try:
        words = list(lexer)
    except ValueError:
        words = ["no closing quote"]
    found = {}
    for at in range(0, len(words), 4):
        name, *rest = words[at : at + 4]
        if rest[:1] != ["="] or len(rest) < 2 or rest[2:] not in ([], [","]):
            raise FormError('give NAME="value", separated by commas, such as A="1",B="2"')
        found[name] = rest[1].strip("'\"")
    return found


def command(text: str) -> tuple[str, ...]:
    """A command line, quoted as in a shell, which it is not."""
    try:
        found = tuple(shlex.split(text))
    except ValueError:
        raise FormError('close the quotes, such as sh -c "my-app --now"') from None
    if not found:
        raise FormError("give a program and its arguments, such as tint2 -c /etc/tint2rc")
    return found


def needs(text: str) -> tuple[str, ...]:
    """Names of programs, and what can be waited for."""
    return tuple(endpoint(word) if ":" in word else word for word in word_list(text))


def ready(text: str) -> str:
    """How a program tells that it can be used."""
    if text in ("stdout", "spawn", "exit"):
        return text
    try:
        return endpoint(text)
    except FormError as error:
        raise FormError(f"give stdout, spawn or exit, or {str(error)[5:]}") from None


def live(text: str) -> str:
    """How a running program shows that it does not hang."""
    read_sign(text)
    return text


def text_as_it_is(text: str) -> str:
    """Anything."""
    return text


LOG_FILES: Final = ("stdout_logfile", "stderr_logfile")
# All output goes to the container's log, so what sizes the files is of no interest.
OF_LOG_FILES: Final = tuple(
    f"{file}_{what}" for file in LOG_FILES for what in ("maxbytes", "backups")
)
TO_THE_LOG: Final = ("/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2", "syslog")
WITHOUT_EFFECT: Final[Mapping[str, Form]] = {
    "priority": whole_number,
    "startsecs": whole_number,
    "startretries": whole_number,
    "numprocs_start": whole_number,
    "serverurl": text_as_it_is,
    **dict.fromkeys(LOG_FILES, text_as_it_is),
    **{f"{stream}_capture_maxbytes": size for stream in ("stdout", "stderr")},
    **{f"{stream}_events_enabled": flag for stream in ("stdout", "stderr")},
    **{f"{stream}_syslog": flag for stream in ("stdout", "stderr")},
}
KEYS: Final[Mapping[str, Form]] = {
    "command": command,
    "directory": text_as_it_is,
    "environment": pairs,
    "umask": umask,
    "user": text_as_it_is,
    "autostart": flag,
    "autorestart": auto_restart,
    "exitcodes": exit_codes,
    "stopsignal": signal_name,
    "stopwaitsecs": seconds,
    "stopasgroup": flag,
    "killasgroup": flag,
    "redirect_stderr": flag,
    "process_name": text_as_it_is,
    "numprocs": one,
    # Ours; supervisord itself ignores them.
    "needs": needs,
    "ready": ready,
    "ready_seconds": seconds,
    "live": live,
    "essential": flag,
    "chatty": flag,
    **{key: size if key.endswith("bytes") else whole_number for key in OF_LOG_FILES},
    **WITHOUT_EFFECT,
}
