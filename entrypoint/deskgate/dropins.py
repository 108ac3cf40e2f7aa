"""Drop-ins: the programs that an image's owner adds, in supervisord's files. Pure.

supervisord's own parser reads the same files later. It takes unknown keys and sections in silence
and fails on others with every variable's value in its text, so all is judged here before anything
starts: every problem at once, each by its name.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import Any, Final

from deskgate.errors import Problem, SettingsError, did_you_mean, quote
from deskgate.forms import FormError
from deskgate.order import CircleError, order
from deskgate.programkeys import (
    KEYS,
    LOG_FILES,
    RENAMED,
    TO_THE_LOG,
    WITHOUT_EFFECT,
    expand,
)
from deskgate.programs import Program

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
# Ours, even where others take their place, and those that our own log lines begin with.
RESERVED: Final = frozenset({"xvnc", "gate", "websockify", "deskgate", "supervisor"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """What drop-ins stand on.

    Args:
        ours: our own programs that are in force.
        folder: where the files are, for `%(here)s`.
        host: this machine's name, for `%(host_node_name)s`.
        variables: the programs' environment, for `%(ENV_NAME)s`.
        uid: whom programs run as.
        root: whether they may run as anybody else.
        find_user: a user's name or number → uid; None for nobody.
    """

    ours: Sequence[Program]
    folder: str
    host: str
    variables: Mapping[str, str]
    uid: int
    root: bool
    find_user: Callable[[str], int | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropins:
    """The drop-ins that may start, and what their owner should know of them."""

    rows: tuple[Program, ...] = ()
    warnings: tuple[str, ...] = ()


def judge(texts: Mapping[str, str], ground: Ground) -> Dropins:
    """Judge all files together.

    Args:
        texts: a file's name below /etc/deskgate → what stands in it.

    Raises:
        SettingsError: every problem.
    """
    court = _Court(ground)
    for source, text in texts.items():
        court.hear(source, text)
    court.compare()
    if court.problems:
        raise SettingsError(court.problems)
    return Dropins(rows=tuple(court.rows), warnings=tuple(court.warnings))


@dataclass(slots=True)
class _Court:
    ground: Ground
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    rows: list[Program] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of a program → the file that it is in
    asleep: set[str] = field(default_factory=set)  # down until somebody starts them

    def refuse(self, source: str, text: str) -> None:
        """Remember a problem of a file's."""
        self.problems.append(Problem(name=source, given=None, allowed=text))

    def hear(self, source: str, text: str) -> None:
        """Judge a file for itself."""
        idle: set[str] = set()
        for section, keys in self._sections(source, text):
            if refusal := self._refusal(section):
                self.refuse(source, f"section {quote(section)}: {refusal}")
                continue
            name = section.partition(":")[2]
            self.names[name] = source
            idle |= self._section(source, name, keys)
        if idle:
            self.warnings.append(f"{source}: without effect here: {', '.join(sorted(idle))}")

    def _refusal(self, section: str) -> str:
        """Why a section cannot be used; empty when it can."""
        kind, _, name = section.partition(":")
        if kind != "program":
            hint = did_you_mean(kind, ["program"]) or "; only [program:NAME] can"
            return f"cannot be used here{hint}"
        if not NAME.fullmatch(name):
            return "cannot be a program's name: give letters, digits and . _ -"
        ours = {row.name for row in self.ground.ours}
        if name in RESERVED | ours or name.startswith("start.d"):
            return "cannot be used here: deskgate has a program of this name"
        if name in self.names:
            return f"cannot be there twice: it stands in {self.names[name]}"
        return ""

    def _sections(self, source: str, text: str) -> Iterator[tuple[str, dict[str, str]]]:
        # supervisord's own, but for what it would take in silence: doubles, and values for all.
        parser = configparser.RawConfigParser(
            strict=True, inline_comment_prefixes=(";", "#"), default_section=""
        )
        try:
            parser.read_file(StringIO(text, newline=None))
        except configparser.DuplicateSectionError as error:
            twice = f"section {quote(error.section)} cannot be there twice"
            self.refuse(source, f"line {error.lineno}: {twice}")
        except configparser.DuplicateOptionError as error:
            twice = f"{quote(error.option)} cannot be there twice in a section"
            self.refuse(source, f"line {error.lineno}: {twice}")
        except configparser.MissingSectionHeaderError as error:
            self.refuse(source, f"line {error.lineno}: cannot be used before [program:NAME]")
        except configparser.ParsingError as error:
            self.refuse(source, f"line {error.errors[0][0]}: cannot be read: give KEY=VALUE")
        else:
            for section in parser.sections():
                yield section, dict(parser.items(section))

    def _section(self, source: str, name: str, keys: Mapping[str, str]) -> set[str]:
        """Judge a program for itself; returns its keys that have no effect."""
        values: dict[str, Any] = {}
        # What `environment` sets can stand in the command.
        for key, text in sorted(keys.items(), key=lambda pair: pair[0] != "environment"):
            if key not in KEYS:
                hint = did_you_mean(key, KEYS) or "; supervisord has no such key"
                self.refuse(source, f"{name}: cannot use {quote(key)}{hint}")
                continue
            try:
                values[key] = self._value(name, key, text, values.get("environment", {}))
            except FormError as error:
                # Of these two, people may have put a secret into the value.
                shown = "it" if key in ("command", "environment") else quote(text)
                self.refuse(source, f"{name}: {key}: cannot use {shown}: {error}")
        self._compare_keys(source, name, keys, values)
        if not values.get("autostart", True):
            self.asleep.add(name)
        once = values.get("ready") == "exit"
        row = Program(
            name=name,
            command=(),
            needs=values.get("needs", ()),
            ready=values.get("ready", "spawn"),
            ready_seconds=values.get("ready_seconds", 0 if once else 30),
            essential=values.get("essential", False),
            chatty=values.get("chatty", False),
            runs_as="" if "user" in values else "desktop",
            source=source,
        )
        self.rows.append(row)
        idle = {key for key in keys if key in WITHOUT_EFFECT}
        return idle - {file for file in LOG_FILES if keys.get(file) in TO_THE_LOG}

    def _value(self, name: str, key: str, text: str, own: Mapping[str, str]) -> Any:
        if "\0" in text:
            raise FormError("leave out the NUL")
        if key == "process_name":  # not expanded
            if text not in (RENAMED, name):
                raise FormError("leave it out: a program is called as its section")
            return name
        if key in LOG_FILES:  # we take them out of the file before supervisord reads it
            return text
        ground = self.ground
        names: dict[str, object] = {
            "here": ground.folder,
            "host_node_name": ground.host,
            "program_name": name,
            "group_name": name,
            **{f"ENV_{variable}": value for variable, value in ground.variables.items()},
        }
        if key in ("command", "environment"):
            names |= {"process_num": 0, "numprocs": 1}
        if key == "command":
            names |= {f"ENV_{variable}": value for variable, value in own.items()}
        found = expand(text.replace("%(here)s", ground.folder), names)
        return self._user(found) if key == "user" else KEYS[key](found)

    def _user(self, text: str) -> int:
        uid = self.ground.find_user(text)
        if uid is None:
            raise FormError("there is no such user; name one of /etc/passwd")
        if uid != self.ground.uid and not self.ground.root:
            raise FormError(
                f"programs run as uid {self.ground.uid}, and only a container that is started as "
                "root, with its capabilities, can have another"
            )
        return uid

    def _compare_keys(
        self, source: str, name: str, keys: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        if "command" not in keys:
            self.refuse(source, f"{name}: cannot start without a command: give command=PROGRAM")
        if values.get("stopasgroup") and not values.get("killasgroup", True):
            self.refuse(source, f"{name}: stopasgroup=true cannot go with killasgroup=false")
        if values.get("ready") == "exit" and values.get("autorestart") == "always":
            self.refuse(source, f"{name}: ready=exit cannot go with autorestart=true")

    def compare(self) -> None:
        """Judge what programs need of each other."""
        known = {row.name for row in self.ground.ours} | self.names.keys()
        sound = []
        for row in self.rows:
            for need in row.named_needs:
                if need not in known:
                    hint = did_you_mean(need, known) or f"; there are {', '.join(sorted(known))}"
                    text = f"cannot need {quote(need)}: there is no such program{hint}"
                    self.refuse(row.source, f"{row.name}: {text}")
                elif need in self.asleep and row.name not in self.asleep:
                    text = f"cannot need {quote(need)}, which autostart=false keeps down"
                    self.refuse(row.source, f"{row.name}: {text}")
            sound.append(replace(row, needs=tuple(n for n in row.named_needs if n in known)))
        try:
            order([*self.ground.ours, *sound])
        except CircleError as error:
            self.refuse(self.names[error.names[0]], str(error))
