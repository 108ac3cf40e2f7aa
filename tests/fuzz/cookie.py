"""The session cookie: of all texts only those that were issued stand for a session."""

from __future__ import annotations

from deskgate.gate.credentials import identify
from deskgate.gate.messages import Request
from deskgate.gate.outside import see
from deskgate.gate.sessions import cookie_name, issue_cookie, read_cookie
from deskgate.tokens import Role
from tests.unit.gate import samples

TOKENS = (samples.CONTROL_TOKEN, samples.VIEW_TOKEN)
CONTEXT = samples.context(tokens=TOKENS)
# Role → the name of its cookie.
NAMES = {
    role: cookie_name(role, CONTEXT.config.cookie_suffix, secure=False, subpath="/")
    for role in Role
}
# Named so in an input, where anything may be changed about them.
ISSUED = {
    word: issue_cookie(token, samples.SECRET, now=samples.NOW, chance=samples.CHANCE)
    for word, token in ((b"{control}", TOKENS[0]), (b"{view}", TOKENS[1]))
}
# The control one without its signature.
SIGNED = ISSUED[b"{control}"].rpartition(".")[0].encode()


def check(data: bytes) -> None:
    """Take the bytes for a cookie's value, and for all of a Cookie header."""
    for word, value in ISSUED.items():
        data = data.replace(word, value.encode())
    for word, role in ((b"{name}", Role.CONTROL), (b"{watch}", Role.VIEW)):
        data = data.replace(word, NAMES[role].encode())
    data = data.replace(b"{signed}", SIGNED)
    for text in (data.decode("latin-1"), data.decode("utf-8", "surrogateescape")):
        session = read_cookie(text, TOKENS, samples.SECRET, now=samples.NOW)
        good = text in ISSUED.values()
        assert (session is not None) == good, f"{text!r} stands for {session}"
    check_header(data.decode("latin-1"))


def check_header(text: str) -> None:
    """Of each role's name exactly one counts, and it has to be an issued one of that role."""
    asked = Request(method="GET", target="/", headers=(("cookie", text),))
    pairs = [pair.strip().split("=", 1) for pair in text.split(";")]
    came = {
        role: [pair[1] for pair in pairs if len(pair) == 2 and pair[0] == name]
        for role, name in NAMES.items()
    }
    issued = dict(zip(Role, ISSUED.values(), strict=True))
    good = [role for role in Role if came[role] == [issued[role]]]
    for watching in (False, True):
        finding = identify(
            asked, None, None, see(asked, CONTEXT.config), CONTEXT, watching=watching
        )
        counts = [role for role in good if role is Role.VIEW or not watching]
        if counts:
            assert finding.access is not None
            assert finding.access.role is counts[0], "a cookie has another's role"
        else:
            assert finding.access is None
            roles = (Role.VIEW,) if watching else tuple(Role)
            assert finding.stale == tuple(role for role in roles if came[role])
