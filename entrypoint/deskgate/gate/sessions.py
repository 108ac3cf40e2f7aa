"""Sessions: the cookie that stands for a token, and those that were logged out. Pure.

A cookie is `v1.<token id>.<issued>.<32 hex of chance>.<64 hex of HMAC>`. Its key is
HMAC(boot secret, token digest): it holds neither the token nor its hash, dies with the token,
and outlives a crash of the gate, because PID 1 keeps the boot secret and hands it on.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from deskgate.tokens import Role, Token

LIFETIME_SECONDS = 12 * 3600  # absolute; OWASP ASVS 5.0, 7.3.2
CLOCK_SLACK_SECONDS = 60  # a cookie from the future is forged, but clocks are set back
CHANCE_BYTES = 16  # 128 bits; OWASP ASVS 5.0, 7.2.3
DENIED_PER_TOKEN = 1024  # logged-out sessions remembered for each token
# No suffix makes the one the other: they differ before it.
COOKIES = {Role.CONTROL: "vnc", Role.VIEW: "vncview"}
FORM = re.compile(r"v1\.([0-9a-f]{16})\.([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A cookie that was found good.

    Args:
        session_id: its 32 hex of chance.
        issued: seconds since the epoch.
    """

    token: Token
    session_id: str
    issued: int

    @property
    def ends(self) -> float:
        """Seconds since the epoch at which it ends: its own end or the token's."""
        own = float(self.issued + LIFETIME_SECONDS)
        return own if self.token.expires is None else min(own, self.token.expires)


@dataclass(frozen=True, slots=True)
class Denied:
    """Sessions that were logged out, for each token apart and bounded.

    When a token's list is full, its oldest entry goes, and with it every cookie of that token
    issued up to then: a forgotten logout must not revive a cookie, and who holds one token
    cannot log out the holders of another.

    Args:
        ids: token id → session id → issued.
        floors: token id → sessions issued up to then are logged out.
        until: the same for every token.
    """

    ids: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    floors: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    until: int = -1

    def holds(self, session: Session) -> bool:
        """Whether this session was logged out."""
        token_id = session.token.token_id
        if session.issued <= max(self.until, self.floors.get(token_id, -1)):
            return True
        return session.session_id in self.ids.get(token_id, {})

    def adding(self, session: Session) -> Denied:
        """The list with one more logout."""
        token_id = session.token.token_id
        entries = dict(self.ids.get(token_id, {}))
        entries[session.session_id] = session.issued
        floors = dict(self.floors)
        if len(entries) > DENIED_PER_TOKEN:
            oldest = min(entries, key=lambda session_id: entries[session_id])
            floors[token_id] = max(floors.get(token_id, -1), entries.pop(oldest))
        return Denied({**self.ids, token_id: entries}, floors, self.until)

    def current(self, now: float) -> Denied:
        """The list without sessions that are over anyway: tokens come and go, and leave theirs."""
        over = now - LIFETIME_SECONDS
        left = {
            token_id: {each: issued for each, issued in entries.items() if issued > over}
            for token_id, entries in self.ids.items()
        }
        floors = {token_id: issued for token_id, issued in self.floors.items() if issued > over}
        ids = {token_id: entries for token_id, entries in left.items() if entries}
        return Denied(ids, floors, self.until)

    def to_json(self) -> str:
        """As a text: ids of tokens and sessions, none of which opens anything."""
        told = {"ids": dict(self.ids), "floors": dict(self.floors), "until": self.until}
        return json.dumps(told)

    @classmethod
    def from_json(cls, text: str) -> Denied:
        """Read what `to_json` wrote; ValueError for anything else."""
        match json.loads(text):
            case {"ids": dict(ids), "floors": dict(floors), "until": int(until)} if all(
                isinstance(each, dict) and _holds_times(each) for each in (floors, *ids.values())
            ):
                return cls(ids, floors, until)
        raise ValueError("not of our form")


def _holds_times(values: Mapping[str, object]) -> bool:
    return all(type(each) is int for each in values.values())


def issue_cookie(token: Token, boot_secret: bytes, *, now: float, chance: bytes) -> str:
    """Make the value of a new cookie."""
    signed = f"v1.{token.token_id}.{int(now)}.{chance.hex()}"
    return f"{signed}.{_signature(token, boot_secret, signed)}"


def read_cookie(
    value: str, tokens: Sequence[Token], boot_secret: bytes, *, now: float
) -> Session | None:
    """Find the session that a cookie stands for, or None: forged, too old, its token gone."""
    parts = FORM.fullmatch(value)
    if parts is None:
        return None
    token_id, issued, session_id, signature = parts.groups()
    for token in tokens:
        if token.token_id == token_id and token.is_live(now):
            break
    else:
        return None
    expected = _signature(token, boot_secret, value.rpartition(".")[0])
    if not hmac.compare_digest(expected, signature):
        return None
    age = now - int(issued)
    if not -CLOCK_SLACK_SECONDS <= age < LIFETIME_SECONDS:
        return None
    return Session(token=token, session_id=session_id, issued=int(issued))


def files_key(token: Token, boot_secret: bytes) -> str:
    """What opens noVNC's files, and nothing else, to a page whose browser sends no cookie.

    It stands in the files' addresses, as a module's imports carry no header; logs may have it.
    """
    return _signature(token, boot_secret, "files")[:32]


def _signature(token: Token, boot_secret: bytes, signed: str) -> str:
    key = hmac.digest(boot_secret, token.digest, "sha256")
    return hmac.digest(key, signed.encode("ascii"), "sha256").hex()


def cookie_name(role: Role, suffix: str, *, secure: bool, subpath: str) -> str:
    """Name the cookie of a role, so that a watch link does not end the browser's control.

    The prefixes bind it to https and to this host (RFC 6265bis, 4.1.3).
    """
    name = f"{COOKIES[role]}_{suffix}"
    if not secure:
        return name
    return f"__Host-{name}" if subpath == "/" else f"__Secure-{name}"


def set_cookie(name: str, value: str, *, subpath: str, secure: bool, framed: bool) -> str:
    """The Set-Cookie header's value; an empty value takes the cookie away.

    Args:
        secure: the browser sees https.
        framed: another site may show us in a frame: only a partitioned cookie arrives there,
            and it has to be Secure (which browsers also take from http://localhost).
    """
    parts = [f"{name}={value}", f"Path={subpath}", "HttpOnly"]
    if framed:
        parts += ["SameSite=None", "Secure", "Partitioned"]
    else:
        parts += ["SameSite=Lax", *(["Secure"] if secure else [])]
    if not value:
        parts.append("Max-Age=0")
    return "; ".join(parts)
