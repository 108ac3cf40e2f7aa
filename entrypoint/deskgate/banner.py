"""What a start tells: the banner for people, the start record for machines. Pure."""

from __future__ import annotations

from typing import Any

from deskgate import links
from deskgate.plan import Plan
from deskgate.tokens import Role, format_expiry, shown_end

ABOUT = {Role.CONTROL: "control", Role.VIEW: "watch"}


def printable_link(plan: Plan, role: Role) -> str | None:
    """The link as it may be printed: a supplied token is left for the person to put in."""
    token = plan.token_of(role)
    if token is not None and role in plan.tickets:
        return links.once_link(links.base_url(plan.settings), plan.tickets[role])
    if token is None or not token.supplied:
        return plan.link_of(role)
    return links.link(plan.settings, links.PLACEHOLDER)


def banner(plan: Plan) -> list[str]:
    """The lines that a start prints once the desktop is ready."""
    lines = [
        f"  {ABOUT[role]:<8} {link}"
        for role in (Role.CONTROL, Role.VIEW)
        if (link := printable_link(plan, role)) is not None
    ]
    control = plan.token_of(Role.CONTROL)
    if control is not None and control.expires is not None:
        lines.append(f"  until    {format_expiry(control.expires)}")
    return lines + [f"  note     {text}" for text in notes(plan)]


def notes(plan: Plan) -> list[str]:
    """What a person should know about the settings in force, one line each."""
    settings = plan.settings
    secure = settings.novnc_cert is not None or (settings.public_url or "").startswith("https:")
    beyond = settings.novnc_listen not in ("127.0.0.1", "::1")
    if settings.vnc_auth == "none":
        return ["VNC_AUTH=none: whoever reaches the port has the desktop"]
    found = []
    if plan.tickets:
        found.append("each link works once, within 10 minutes; deskgate url --once makes another")
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
