"""What stands in the bodies that machines and our page send: JSON objects of texts. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deskgate.forms import FormError, duration, public_url
from deskgate.gate.answers import json_headers
from deskgate.gate.messages import Answer, Context, Request


class BadBodyError(ValueError):
    """A body that the address cannot use. The text says what is allowed."""


def read_body(request: Request, known: set[str], *, example: str) -> dict[str, str]:
    """A JSON object of texts, or nothing.

    Raises:
        BadBodyError: it is something else, or holds a key that is not known.
    """
    if not request.body:
        return {}
    wanted = f"give a JSON object such as {example}"
    try:
        found: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadBodyError(wanted) from None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise BadBodyError(wanted)
    if unknown := sorted(found.keys() - known):
        raise BadBodyError(f"{unknown[0][:64]}: not known here; {wanted}")
    return found


def seconds_in(body: Mapping[str, str]) -> int | None:
    """How long something shall live, from `ttl`; None where that is not said.

    Raises:
        BadBodyError: it is no time.
    """
    try:
        return duration(body["ttl"]) if "ttl" in body else None
    except FormError as error:
        raise BadBodyError(f"ttl: {error}") from None


def base_of(given: str | None, context: Context) -> str:
    """Where links begin: as asked for, or as the start prints them.

    Raises:
        BadBodyError: it is no address.
    """
    try:
        return context.config.links if given is None else f"{public_url(given)}/"
    except FormError as error:
        raise BadBodyError(f"base_url: {error}") from None


def refuse(context: Context, status: int, text: str) -> Answer:
    """Refuse with the reason, for machines."""
    body = json.dumps({"error": text}).encode()
    return Answer(status=status, headers=json_headers(context), body=body)
