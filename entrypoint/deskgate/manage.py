"""Links and tokens of the running desktop: `deskgate url` and `deskgate token`."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from deskgate import clock, qr, streams
from deskgate.errors import ProgramError, Status, UsageError
from deskgate.forms import FormError, duration
from deskgate.probe import ask_status, ask_ticket
from deskgate.running import json_file, print_table, runtime_folder
from deskgate.tokens import HASHED, NAME, NewToken, Role, parse_expiry, shown_end
from deskgate.tokenstore import Store, StoreError, open_store

WAIT_SECONDS = 5.0  # for another change of the token file


@dataclass(frozen=True, kw_only=True, slots=True)
class Show:
    """How a link is printed.

    Args:
        qr: also as a QR code, for a phone.
    """

    as_json: bool = False
    qr: bool = False

    def link(self, url: str, *, role: str, expires: str | None, name: str) -> None:
        """Print a link."""
        if self.as_json:
            told = {"role": role, "url": url, "expires": expires, "name": name}
            print(json.dumps(told))
            return
        print(url)
        if self.qr:
            print_qr(url)


def print_qr(text: str) -> None:
    """Print a QR code that a phone reads from the terminal."""
    print(*qr.draw(text, colour=streams.has_colours(streams.STDOUT)), sep="\n")


def _store() -> tuple[Store, dict[str, Any]]:
    folder = runtime_folder()
    record = json_file(folder / "start.json")
    if record["auth"] == "none":
        raise ProgramError("token: cannot do that: VNC_AUTH=none, so there are no tokens")
    if record["proxy"] != "gate":
        raise ProgramError(
            "token: cannot do that: stock websockify knows neither names nor roles; "
            "set NOVNC_PROXY=gate"
        )
    return open_store(folder), record


def _expiry(store: Store, ttl: str | None) -> float | None:
    if ttl is None:
        return None
    try:
        return store.now() + duration(ttl)
    except FormError as error:
        raise UsageError(f"--ttl: cannot use {ttl!r}: {error}") from None


def _name(given: str | None, role: Role) -> str:
    name = given or f"{role}-{os.urandom(2).hex()}"
    if not NAME.fullmatch(name):
        raise UsageError(
            f"--name: cannot use {name!r}: give up to 64 letters, digits and . _ - such as alice"
        )
    return name


def _print_new(store: Store, token: NewToken, show: Show) -> int:
    expires = shown_end(token.expires)
    show.link(store.link(token), role=token.role, expires=expires, name=token.name)
    return Status.OK


def add(name: str | None, role: str, ttl: str | None, show: Show) -> int:
    """`deskgate token add`: make a token and print its link."""
    chosen = Role(role)
    store, _ = _store()
    expires = _expiry(store, ttl)
    token = store.add(_name(name, chosen), chosen, expires=expires, wait_seconds=WAIT_SECONDS)
    return _print_new(store, token, show)


def rotate(name: str, ttl: str | None, show: Show) -> int:
    """`deskgate token rotate`: a new token in the place of the old one."""
    store, _ = _store()
    token = store.rotate(name, expires=_expiry(store, ttl), wait_seconds=WAIT_SECONDS)
    return _print_new(store, token, show)


def revoke(name: str) -> int:
    """`deskgate token revoke`: its link opens nothing any more, its viewers end."""
    store, _ = _store()
    store.revoke(name, wait_seconds=WAIT_SECONDS)
    return Status.OK


def list_tokens(*, as_json: bool) -> int:
    """`deskgate token list`: names, roles, ends, viewers; never a token."""
    store, _ = _store()
    told = ask_status(store.folder)
    here = told["names"] if told else {}
    ours, more = store.read()
    rows = [_describe(each, store, here, known=told is not None) for each in (*ours, *more)]
    if as_json:
        print(json.dumps(rows, indent=1))
        return Status.OK
    print_table([("NAME", "ROLE", "EXPIRES", "STATE", "VIEWERS"), *(row.values() for row in rows)])
    return Status.OK


def _describe(
    token: NewToken, store: Store, here: dict[str, int], *, known: bool
) -> dict[str, Any]:
    return {
        "name": token.name,
        "role": token.role.value,
        "expires": shown_end(token.expires),
        "state": "live" if token.is_live(store.now()) else "expired",
        "viewers": here.get(token.name, 0) if known else None,
    }


def once(role: str, show: Show) -> int:
    """`deskgate url --once`: a link that works once, within ten minutes."""
    store, record = _store()
    token = next((each for each in store.read()[0] if each.name == role), None)
    if token is None or HASHED.fullmatch(token.value):
        raise ProgramError(f"url: cannot give a {role} link: its token is not known any more")
    link = ask_ticket(record, token.value)
    if link is None:
        raise ProgramError("url: cannot give a link: the gate gives no ticket; see deskgate status")
    show.link(link, role=role, expires=None, name=role)
    return Status.OK


def url(role: str, show: Show) -> int:
    """`deskgate url`: the link of a role, with the token that is in force."""
    folder = runtime_folder()
    record = json_file(folder / "start.json")
    if role not in record["links"]:
        raise ProgramError(f"url: cannot give a {role} link: this desktop has none")
    made = f"deskgate url --role {role} --ttl 12h makes another"
    if record["hashed"]:
        raise StoreError(f"url: cannot give a {role} link: VNC_TOKEN_HASH keeps no tokens; {made}")
    link = record["links"][role]
    if link["expires"] is not None and parse_expiry(link["expires"]) <= clock.now(record["booted"]):
        raise ProgramError(
            f"url: cannot give a {role} link: it expired at {link['expires']}; "
            f"deskgate token rotate {role} --ttl 12h makes a new one"
        )
    show.link(link["url"], role=role, expires=link["expires"], name=role)
    return Status.OK
