"""Rendering: golden folders, exact quoting, and what no value can break out of."""

from __future__ import annotations

import configparser
import dataclasses
import os
import shlex
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError
from supervisor.options import UnhosedConfigParser, expand

from deskgate import files
from deskgate.errors import InternalError, SettingsError
from deskgate.programs import Program, hooks
from deskgate.render import hide_secrets, quote_command, render_files
from deskgate.settings import ROWS
from deskgate.tokens import NewToken, Role
from tests.examples import examples

from . import samples

GOLDEN = Path(__file__).parent.parent / "golden"

CASES: dict[str, dict[str, str]] = {
    "default": {},
    "unix": {"VNC_TRANSPORT": "unix", "VNC_TOKEN": samples.GIVEN, "VNC_TOKEN_TTL": "30m"},
    "websockify": {"NOVNC_PROXY": "websockify", "DISPLAY": ":3", "NOVNC_PORT": "6901"},
    "everything": {
        "VNC_GEOMETRY": "1920x1080",
        "VNC_DPI": "120",
        "VNC_CLIPBOARD": "in",
        "XVNC_ARGS": "-desktop 'a; b # 100%' -FrameRate=30",
        "PUBLIC_URL": "https://desk.example.org/lab/1",
        "NOVNC_CERT": "/run/secrets/cert.pem",
        "NOVNC_KEY": "/run/secrets/key.pem",
        "VNC_FRAME_ANCESTORS": "https://app.example.org self",
        "VNC_TRUSTED_PROXIES": "10.0.0.0/8",
    },
    "no-desktop": {"ENABLE_VNC": "false"},
    "additions": {},
}
ADDED = {
    "additions": (
        Program(name="panel", command=(), needs=("wm",), source="programs.d/panel.conf"),
        Program(name="web", command=(), ready="exit", source="programs.d/b.conf"),
        Program(name="api", command=(), needs=("web",), source="programs.d/b.conf"),
        *hooks(["10-init.sh", "20-more"]),
    )
}


@pytest.mark.parametrize("case", CASES)
def test_a_case_renders_as_its_golden_folder(case: str) -> None:
    """The folder is what a reviewer reads; UPDATE_GOLDEN=1 writes it."""
    plan = samples.plan_of(CASES[case], added=ADDED.get(case, ()))
    rendered = {
        name: data.decode() for name, data in render_files(plan, files.read_template).items()
    }
    folder = GOLDEN / case
    if os.environ.get("UPDATE_GOLDEN"):
        folder.mkdir(exist_ok=True)
        for name, text in rendered.items():
            (folder / name).write_text(text, encoding="utf-8")
    golden = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert rendered == golden


def read_back(text: str) -> dict[str, list[str]]:
    """Each section's command, as supervisord and shlex read it."""
    parser = UnhosedConfigParser()
    parser.read_string(text)
    if parser.has_section("include"):  # then supervisord does this to all that it has read
        parser.expand_here("/here")
    commands = {s: parser.get(s, "command") for s in parser.sections() if s != "supervisord"}
    return {s: shlex.split(expand(command, {}, s)) for s, command in commands.items()}


# What supervisord's file can express: no NUL, no CR, no lone surrogate.
ARGUMENT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


@given(st.lists(ARGUMENT, min_size=1, max_size=6))
@settings(max_examples=examples(300))
@example(["a", "%", "%(ENV_PATH)s", "%%", "100%"])
@example(["%(here)s", "%%(here)s", "%(here)s'"])
@example(["a ;b", "; c", " #d", "#", "\t;x"])
@example(["it's", '"quoted"', "'", "\\", "a\\"])
@example(["line\nbreak", "\n", "\n\n", "a\n;b", "a\n#b", "[program:evil]\ncommand=id"])
@example(["", " ", "Grüße 🦊", "${HOME}", "{{7*7}}", "{% x %}"])
def test_e4_any_command_comes_back_from_supervisords_parser_unchanged(argv: list[str]) -> None:
    """Exactly these arguments, and no section beside it."""
    text = f"[program:x]\ncommand={quote_command(argv)}\n"
    assert read_back(text) == {"program:x": argv}
    included = f"{text}[include]\nfiles=x\ncommand=true\n"
    assert read_back(included) == {"program:x": argv, "include": ["true"]}


@pytest.mark.parametrize("argument", ["a\0b", "a\rb", "\udcff"], ids=ascii)
def test_what_the_file_cannot_express_is_an_error(argument: str) -> None:
    """Never a silent change of a command."""
    with pytest.raises(InternalError):
        quote_command([argument])


@given(ARGUMENT)
@settings(max_examples=examples(100))
def test_e3_no_argument_of_xvncs_adds_a_section_or_a_key(argument: str) -> None:
    """The parsed file has exactly the sections and keys of the plain one."""
    plain = samples.plan_of()
    xvnc, *others = plain.programs
    hostile = dataclasses.replace(xvnc, command=(*xvnc.command, argument))
    plan = dataclasses.replace(plain, programs=(hostile, *others))
    found, expected = shape(plan), shape(plain)
    assert found == expected


# Names that change which programs there are have their own golden folders.
VALUED = sorted(ROWS.keys() - {"ENABLE_VNC", "NOVNC_PROXY", "DESKTOP"})
PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LINES = st.lists(st.sampled_from(["[program:evil]", "command=id", "%(x)s", "'", '"', ";", "a"]))


@given(st.sampled_from(VALUED), PLAIN | LINES.map("\n".join) | LINES.map(" ".join))
@settings(max_examples=examples(300))
def test_e3_no_value_of_a_setting_adds_a_section_or_a_key(name: str, value: str) -> None:
    """It is refused, or the parsed file has exactly the sections and keys of the plain one."""
    try:
        plan = samples.plan_of({name: value})
    except SettingsError:
        return
    assert shape(plan) == shape(samples.plan_of())


@pytest.mark.parametrize("word", ["{{7*7}}", "{% include 'x' %}", "{# x #}", "${{ 7*7 }}"])
def test_e5_what_jinja_would_read_is_text_in_a_setting(word: str) -> None:
    """Values are put into a template, and never read as one."""
    plan = samples.plan_of({"XVNC_ARGS": shlex.quote(word), "DESKTOP": shlex.quote(word)})
    rendered = render_files(plan, files.read_template)["supervisord.conf"].decode()
    assert read_back(rendered)["program:xvnc"][-1] == word


def shape(plan: object) -> dict[str, list[str]]:
    """Sections and their keys."""
    rendered = render_files(plan, files.read_template)  # type: ignore[arg-type]
    parser = UnhosedConfigParser()
    parser.read_string(rendered["supervisord.conf"].decode())
    return {section: parser.options(section) for section in parser.sections()}


def test_a_template_value_is_text_and_never_a_template() -> None:
    """E5: `{{7*7}}` in a setting stays what it is."""
    plan = samples.plan_of({"XVNC_ARGS": "{{7*7}} {%include'x'%}"})
    rendered = render_files(plan, files.read_template)["supervisord.conf"].decode()
    assert read_back(rendered)["program:xvnc"][-2:] == ["{{7*7}}", "{%includex%}"]


def test_an_unknown_name_in_a_template_is_an_error() -> None:
    """StrictUndefined: a misspelt name must not render as nothing."""
    with pytest.raises(UndefinedError):
        render_files(samples.plan_of(), lambda name: "{{ no_such_name }}")


def test_hidden_secrets_are_in_no_file() -> None:
    """`deskgate render` may be pasted into an issue."""
    extra = NewToken(name="alice", role=Role.VIEW, value=samples.GIVEN[::-1])
    plan = hide_secrets(samples.plan_of({"VNC_TOKEN": samples.GIVEN}, extra=[extra]))
    everything = b"".join([*render_files(plan, files.read_template).values(), *plan.files.values()])
    for secret in (samples.GIVEN, samples.VIEW, samples.GIVEN[::-1]):
        assert secret.encode() not in everything
    assert plan.files["rfbauth"] == b"(hidden)\n"


def test_only_the_token_file_holds_tokens() -> None:
    """Everything else may be read by whoever debugs."""
    plan = samples.plan_of()
    for name, data in render_files(plan, files.read_template).items():
        assert (samples.CONTROL.encode() in data) == (name == "websockify-tokens.conf")


def test_the_rendered_file_is_plain_configparser_syntax() -> None:
    """No duplicate section or key hides another."""
    strict = configparser.RawConfigParser(strict=True, inline_comment_prefixes=(";", "#"))
    rendered = render_files(samples.plan_of(), files.read_template)["supervisord.conf"].decode()
    strict.read_string(rendered)
    assert strict.sections() == ["supervisord", "program:xvnc", "program:gate", "program:wm"]
