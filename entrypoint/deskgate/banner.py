"""What a start tells: the banner for people, the start record for machines. Pure."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from deskgate import links, qr
from deskgate.address import LOOPBACK
from deskgate.colours import BOLD, DIM, YELLOW, paint
from deskgate.forms import show_duration
from deskgate.plan import Plan
from deskgate.tokens import Role, shown_end

ABOUT: Final = {Role.CONTROL: "control", Role.VIEW: "watch"}
CLIPBOARD: Final = {"both": ", copy and paste", "in": ", paste", "out": ", copy", "off": ""}
INDENT: Final = " " * 11


def printable_link(plan: Plan, role: Role) -> str | None:
    """The link as it may be printed: a supplied token is left for the person to put in."""
    token = plan.token_of(role)
    if token is not None and role in plan.tickets:
        return links.once_link(links.base_url(plan.settings), plan.tickets[role])
    if token is None or not token.supplied:
        return plan.link_of(role)
    return links.link(plan.settings, links.PLACEHOLDER)


def _allows(plan: Plan, role: Role) -> str:
    if role is Role.VIEW:
        return "looking only"
    return f"keyboard, pointer{CLIPBOARD[plan.settings.vnc_clipboard]}"


def _lasts(plan: Plan, role: Role) -> str:
    token = plan.token_of(role)
    if role in plan.tickets:
        return "works once, within 10 minutes; then deskgate url --once"
    if token is None:
        return "for anybody"
    if token.expires is not None and plan.settings.vnc_token_ttl is not None:
        span = show_duration(plan.settings.vnc_token_ttl)
        return f"for {span}, until {shown_end(token.expires)}"
    return "until you change your token" if token.supplied else "until the container stops"


def announce(plan: Plan) -> dict[str, Any]:
    """What a start says, with the links as they may be printed, and no other secret."""
    found = {}
    for role in Role:
        link = printable_link(plan, role)
        if link is not None:
            token = plan.token_of(role)
            found[role.value] = {
                "url": link,
                "allows": _allows(plan, role),
                "lasts": _lasts(plan, role),
                "expires": shown_end(token.expires if token else None),
            }
    return {"links": found, "notes": notes(plan)}


def banner(plan: Plan, *, colour: bool) -> list[str]:
    """The lines that a start prints once the desktop is ready."""
    told, lines = announce(plan), []
    for role in (Role.CONTROL, Role.VIEW):
        if about := told["links"].get(role.value):
            # The link ends its line, so that a terminal finds it, and a click opens it.
            lines.append(f"  {paint(f'{ABOUT[role]:<7}', BOLD, on=colour)}  {about['url']}")
            lines.append(INDENT + paint(f"{about['allows']}; {about['lasts']}", DIM, on=colour))
    lines += [f"  {paint('note', YELLOW, on=colour)}     {text}" for text in told["notes"]]
    if plan.settings.vnc_qr and not why_no_qr(plan):
        lines += qr.draw(_qr_link(plan), colour=colour)
    return lines


def _qr_link(plan: Plan) -> str:
    # For who started it, and his own phone. For others there is `deskgate url --role view --qr`.
    return printable_link(plan, Role.CONTROL) or ""


def why_no_qr(plan: Plan) -> str | None:
    """Why a QR code of the control link would open nothing; None when it opens the desktop."""
    link = _qr_link(plan)
    if links.PLACEHOLDER in link:
        return "a token of yours is not printed; deskgate url --qr shows it"
    if urlsplit(link).hostname in LOOPBACK:
        return "a phone cannot open localhost; set PUBLIC_URL to what it can open"
    return None


def notes(plan: Plan) -> list[str]:
    """What a person should know about the settings in force, one line each."""
    settings = plan.settings
    secure = settings.novnc_cert is not None or (settings.public_url or "").startswith("https:")
    beyond = settings.novnc_listen not in ("127.0.0.1", "::1")
    found = []
    if settings.vnc_qr and (why := why_no_qr(plan)):
        found.append(f"no QR code: {why}")
    if settings.vnc_auth == "none":
        return [*found, "VNC_AUTH=none: whoever reaches the port has the desktop"]
    if settings.novnc_proxy == "websockify":
        found.append("stock websockify serves its pages to anybody; the desktop needs the token")
    if beyond and not secure:
        found.append("plain http: publish the port on 127.0.0.1, or put TLS in front of it")
    return found


def listener_uid(plan: Plan) -> int | None:
    """Whose the listening socket is, among several users: PID 1 binds it for the gate."""
    if plan.place.users is None:
        return None
    return 0 if plan.settings.novnc_proxy == "gate" else plan.place.users.gate.uid


def start_record(plan: Plan) -> dict[str, Any]:
    """The start record, `start.json`: links, port, display. The conductor adds the ready time."""
    found: dict[str, Any] = {
        "version": 1,
        "port": plan.settings.novnc_port,
        "listen": plan.settings.novnc_listen,
        "tls": plan.settings.novnc_cert is not None,
        "proxy": plan.settings.novnc_proxy,
        "auth": plan.settings.vnc_auth,
        "hashed": plan.settings.vnc_token_hash,
        "booted": plan.gate["booted"],
        "display": f":{plan.settings.display}",
        "rfb": plan.gate["rfb"],
        "listener_uid": listener_uid(plan),
        "links": {},
    }
    for role in Role:
        token = plan.token_of(role)
        link = plan.link_of(role)
        if link is None:
            continue
        if plan.settings.vnc_token_hash:  # what is kept as a hash must not stand here in clear
            link = links.link(plan.settings, links.PLACEHOLDER)
        ends = shown_end(token.expires if token else None)
        found["links"][role.value] = {"url": link, "expires": ends}
    return found
