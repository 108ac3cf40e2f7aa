"""The session cookie: of all texts only those that were issued stand for a session."""

from __future__ import annotations

from deskgate.gate.credentials import identify
from deskgate.gate.messages import Request
from deskgate.gate.outside import see
from deskgate.gate.sessions import cookie_name, issue_cookie, read_cookie
from tests.unit.gate import samples

TOKENS = (samples.CONTROL_TOKEN, samples.VIEW_TOKEN)
CONTEXT = samples.context(tokens=TOKENS)
NAME = cookie_name(CONTEXT.config.cookie_suffix, secure=False, subpath="/")
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
    data = data.replace(b"{name}", NAME.encode()).replace(b"{signed}", SIGNED)
    for text in (data.decode("latin-1"), data.decode("utf-8", "surrogateescape")):
        session = read_cookie(text, TOKENS, samples.SECRET, now=samples.NOW)
        good = text in ISSUED.values()
        assert (session is not None) == good, f"{text!r} stands for {session}"
    check_header(data.decode("latin-1"))


def check_header(text: str) -> None:
    """Exactly one cookie of our name counts, and it has to be an issued one."""
    asked = Request(method="GET", target="/", headers=(("cookie", text),))
    finding = identify(asked, None, None, see(asked, CONTEXT.config), CONTEXT)
    pairs = [pair.strip().split("=", 1) for pair in text.split(";")]
    ours = [pair[1] for pair in pairs if len(pair) == 2 and pair[0] == NAME]
    good = len(ours) == 1 and ours[0] in ISSUED.values()
    assert (finding.access is not None) == good
    assert finding.stale_cookie == (bool(ours) and not good)
    if finding.access is not None:
        token = TOKENS[list(ISSUED.values()).index(ours[0])]
        assert finding.access.role is token.role, "a cookie has another's role"
