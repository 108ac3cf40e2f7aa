"""Each form accepts what it promises and refuses the rest with a sentence and an example."""

from __future__ import annotations

from typing import Any

import pytest

from deskgate import forms
from deskgate.forms import FormError, Geometry

port = forms.number(low=1, high=65535, what="a port", example="8002")

VALID: list[tuple[forms.Form, str, Any]] = [
    *[(forms.boolean, text, True) for text in ("1", "true", "TRUE", "yes", "on", "enabled", "Y")],
    *[(forms.boolean, text, False) for text in ("0", "false", "No", "off", "disable")],
    (port, "1", 1),
    (port, "65535", 65535),
    (forms.choice("tcp", "unix"), "TCP", "tcp"),
    (forms.display, ":1", 1),
    (forms.display, ":9999", 9999),
    (forms.geometry, "1280x800", Geometry(1280, 800)),
    (forms.geometry, "64x64", Geometry(64, 64)),
    (forms.geometry, "16384x4096", Geometry(16384, 4096)),
    (forms.listen_address, "*", ""),
    (forms.listen_address, "0.0.0.0", ""),
    (forms.listen_address, "::", ""),
    (forms.listen_address, "localhost", "127.0.0.1"),
    (forms.listen_address, "[::1]", "::1"),
    (forms.listen_address, "127.0.0.2", "127.0.0.2"),
    (forms.word_list, " a, b\n\tc,,", ("a", "b", "c")),
    (forms.word_list, " ,", ()),
    (forms.public_url, "https://desk.example.org/", "https://desk.example.org"),
    (forms.public_url, "http://localhost:8012", "http://localhost:8012"),
    (forms.public_url, "https://h/lab/1/", "https://h/lab/1"),
    (forms.public_url, "http://[::1]:8002", "http://[::1]:8002"),
    (forms.subpath, "/", "/"),
    (forms.subpath, "desk/1", "/desk/1/"),
    (forms.subpath, "/desk/1/", "/desk/1/"),
    (forms.duration, "90", 90),
    (forms.duration, "90s", 90),
    (forms.duration, "30m", 1800),
    (forms.duration, "12h", 43200),
    (forms.duration, "7d", 604800),
    (forms.origins, "https://a.example, self", ("https://a.example", "'self'")),
    (
        forms.origins,
        "http://localhost:3000 https://*.b.example",
        ("http://localhost:3000", "https://*.b.example"),
    ),
    (forms.networks, "10.0.0.0/8, ::1", ("10.0.0.0/8", "::1/128")),
    (forms.networks, "private, ::1", (*forms.PRIVATE, "::1/128")),
    (forms.words("a b"), "-dpi 120 -desktop 'my desk'", ("-dpi", "120", "-desktop", "my desk")),
    (forms.absolute_path("/opt"), "/opt/novnc", "/opt/novnc"),
    (forms.cookie_suffix, "desk-1_B", "desk-1_B"),
    (forms.plain_path, "/run/desk-1.2/@a+b_", "/run/desk-1.2/@a+b_"),
    (forms.plain_path, "/" + "x" * 200, "/" + "x" * 200),
    (forms.locale_name, "de_DE.UTF-8@euro", "de_DE.UTF-8@euro"),
    (forms.time_zone, "Europe/Berlin", "Europe/Berlin"),
    (forms.time_zone, "<+03>-3", "<+03>-3"),
    (forms.secret_text, "anything", "anything"),
]

INVALID: list[tuple[forms.Form, str]] = [
    (forms.boolean, "maybe"),
    *[(port, text) for text in ("0", "65536", "70000", "80 02", "-1", "8002x", "٨٠٠٢", "1e3", "")],
    (forms.choice("tcp", "unix"), "udp"),
    *[(forms.display, text) for text in ("1", ":", ":1.0", "host:1", ":12345", ":-1", ":١")],
    *[
        (forms.geometry, text)
        for text in (
            "1280",
            "1280*800",
            "0x0",
            "63x800",
            "1280x",
            "-1x5",
            "1e9x1",
            "99999x99999",
            "16385x64",
            "16384x16384",
            "1280x800;id",
            "١٢٨٠x٨٠٠",
            " 1280x800",
        )
    ],
    *[(forms.listen_address, text) for text in ("example.org", "1.2.3", "127.0.0.1:80")],
    *[
        (forms.public_url, text)
        for text in (
            "desk.example.org",
            "javascript:alert(1)",
            "https://user@h/",
            "https://user:pw@h/",
            "https://h/?a=b",
            "https://h/?",
            "https://h/#x",
            "https://h/#",
            "https://",
            "https://h:0/",
            "https://h:99999/",
            "https://h\\evil/",
            "https://[::1/",
            "https://h/a b",
        )
    ],
    *[(forms.subpath, text) for text in ("/a//b/", "/../x", "/a/./b/", "/a b/", "/a?b", "/ü/")],
    *[(forms.duration, text) for text in ("0", "0m", "-5", "5w", "1.5h", "99999d", "m", "")],
    *[(forms.origins, text) for text in ("*", "https://a;b", "a.example", "data:", "https://a/b")],
    *[(forms.networks, text) for text in ("10.0.0.1/8", "proxy", "private/8", "")],
    (forms.words("a b"), "an 'open quote"),
    *[(forms.absolute_path("/opt"), text) for text in ("novnc", "./novnc", "~/novnc")],
    *[(forms.cookie_suffix, text) for text in ("a b", "a;b", "a=b", "ü", "x" * 33)],
    *[(forms.plain_path, text) for text in ("run", "/a b", "/a;b", "/a%b", "/ü", "/" + "x" * 201)],
    *[(forms.locale_name, text) for text in ("de DE", "x" * 65, "a;b")],
    *[(forms.time_zone, text) for text in ("../etc/passwd", "Europe Berlin", "")],
]


def _ids(rows: list[Any]) -> list[str]:
    return [f"{getattr(row[0], '__qualname__', 'form').split('.')[0]}-{row[1]!r}" for row in rows]


@pytest.mark.parametrize(("form", "text", "value"), VALID, ids=_ids(VALID))
def test_valid_text_becomes_its_value(form: forms.Form, text: str, value: Any) -> None:
    """What a form promises, it takes."""
    assert form(text) == value


@pytest.mark.parametrize(("form", "text"), INVALID, ids=_ids(INVALID))
def test_invalid_text_is_refused_with_what_to_give_instead(form: forms.Form, text: str) -> None:
    """A refusal says what to do; who calls adds what was given, unless it is secret."""
    with pytest.raises(FormError) as error:
        form(text)
    assert str(error.value).startswith(("give ", "close "))


def test_a_geometry_is_shown_as_it_is_written() -> None:
    """`check` and Xvnc's -geometry both get WIDTHxHEIGHT."""
    assert str(Geometry(1280, 800)) == "1280x800"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59, "59s"), (60, "1m"), (5400, "90m"), (43200, "12h"), (86400, "1d"), (90061, "90061s")],
    ids=str,
)
def test_a_duration_is_shown_as_it_could_have_been_given(seconds: int, text: str) -> None:
    """Exactly, in the largest unit that does it."""
    assert forms.show_duration(seconds) == text
    assert forms.duration(text) == seconds
