"""The answers that more than one rule gives. Pure."""

from __future__ import annotations

from deskgate.gate import headers, limits
from deskgate.gate.messages import Answer, Context, Headers

NEXT = {
    403: "not for this page, or under this name: open the desktop by its own address. "
    "Behind a proxy, or by another name than localhost, start it with PUBLIC_URL.",
    404: "nothing is here: the desktop is at the address in its link.",
    426: "this address is for a WebSocket: a proxy on the way has to pass `Upgrade` on.",
    429: "too many wrong tokens: open the right link, or wait.",
    503: "there is no desktop at this moment: it starts, or it is full. Try again.",
}


def plain(context: Context, status: int, *extra: tuple[str, str], close: bool = False) -> Answer:
    """A short answer without a page: the status, and what to do next where somebody can.

    By the status alone, so that no path, name or reason is told.
    """
    body = f"{status} {NEXT.get(status, '')}".rstrip().encode() + b"\n"
    return Answer(status=status, headers=(*plain_headers(context), *extra), body=body, close=close)


def on_the_wire(answer: Answer, date: str) -> list[tuple[str, str]]:
    """The headers of an answer as they are sent, its own and those of every answer."""
    found = [*answer.headers, ("Date", date)]
    if answer.status not in {204, 304}:
        found.append(("Content-Length", str(len(answer.body))))
    if answer.close:
        found.append(("Connection", "close"))
    return found


def unavailable(context: Context) -> Answer:
    """No desktop or no place: come again."""
    return plain(context, 503, ("Retry-After", str(limits.RETRY_AFTER_SECONDS)))


def unauthorised(context: Context, cookies: Headers = ()) -> Answer:
    """The one answer to everybody without a good credential, whatever was asked for."""
    return Answer(
        status=401,
        headers=(*page_headers(context), ("WWW-Authenticate", "Bearer"), *cookies),
        body=context.page.locked,
        close=True,
    )


def too_many(context: Context, seconds: float) -> Answer:
    """Too many wrong tokens from one address; a right one is heard all the same."""
    retry = ("Retry-After", str(max(1, round(seconds))))
    return plain(context, 429, retry, close=True)


def json_headers(context: Context) -> Headers:
    """What an answer for machines carries."""
    return (*headers.common(context.config), headers.JSON, headers.NO_STORE)


def plain_headers(context: Context) -> Headers:
    """What an answer without a page carries."""
    return (*headers.common(context.config), headers.TEXT, headers.NO_STORE)


def page_headers(context: Context) -> Headers:
    """What our own page carries."""
    common = headers.common(context.config, context.page.csp)
    return (*common, headers.HTML, headers.NO_STORE)
