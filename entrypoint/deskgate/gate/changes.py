"""Token changes that come over HTTP: asked for by the policy, made by the token store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deskgate.gate import log
from deskgate.gate.keeper import Keeper
from deskgate.gate.messages import Answer, Change, TokenChange
from deskgate.links import full_link
from deskgate.tokens import NewToken, Token, shown_end
from deskgate.tokenstore import NameTakenError, NoSuchNameError, StoreError, open_store


def change_tokens(decision: TokenChange, keeper: Keeper) -> Answer:
    """List the tokens, or make the change and let it count at once."""
    if decision.change is Change.LIST:
        return _answer(decision, 200, {"tokens": _listed(keeper)})
    try:
        made = _make(decision, keeper)
    except NoSuchNameError as error:
        return _answer(decision, 404, {"error": str(error)})
    except NameTakenError as error:
        return _answer(decision, 409, {"error": str(error)})
    except StoreError as error:
        log.warning(str(error))
        return _answer(decision, 503, {"error": str(error)})
    log.info(f"token {decision.name}: {decision.change} by its owner")
    keeper.reload_tokens()
    if made is None:
        return _answer(decision, 200, {"name": decision.name})
    told = {**_described(made), "token": made.value, "url": full_link(decision.base, made.value)}
    return _answer(decision, 201 if decision.change is Change.ADD else 200, told)


def _make(decision: TokenChange, keeper: Keeper) -> NewToken | None:
    store = open_store(Path(keeper.config.tokens).parent)
    expires = None if decision.seconds is None else keeper.now() + decision.seconds
    # Nobody waits here: a change that is under way is over in a moment, or its holder hangs.
    if decision.change is Change.ADD:
        return store.add(decision.name, decision.role, expires=expires, wait_seconds=0)
    if decision.change is Change.ROTATE:
        return store.rotate(decision.name, expires=expires, wait_seconds=0)
    store.revoke(decision.name, wait_seconds=0)
    return None


def _listed(keeper: Keeper) -> list[dict[str, Any]]:
    here, now = keeper.by_name(), keeper.now()
    return [
        {**_described(token), "live": token.is_live(now), "viewers": here[token.name]}
        for token in keeper.tokens
    ]


def _described(token: Token | NewToken) -> dict[str, Any]:
    return {"name": token.name, "role": token.role.value, "expires": shown_end(token.expires)}


def _answer(decision: TokenChange, status: int, told: object) -> Answer:
    return Answer(status=status, headers=decision.headers, body=json.dumps(told).encode())
