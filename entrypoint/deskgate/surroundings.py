"""Surroundings: the environment that programs and the user's command see. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from deskgate.plan import Plan

# An agent platform gives its key to its own server, which is the user's command, as much as to
# us: the command keeps it. The desktop's programs never see it.
SHARED_SECRETS: Final = ("SESSION_API_KEY", "OH_SESSION_API_KEYS_0")


def without_secrets(
    environ: Mapping[str, str], secrets: Collection[str], *, shared: bool
) -> dict[str, str]:
    """The environment without the variables that held secrets.

    Args:
        shared: keep those that are the user's command's as well.
    """
    kept = SHARED_SECRETS if shared else ()
    return {name: value for name, value in environ.items() if name not in secrets or name in kept}


def with_display(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """Add what X clients need."""
    display = {"DISPLAY": f":{plan.settings.display}", "XAUTHORITY": plan.place.path("Xauthority")}
    return {**environ, **display}


def of_command(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """The user's command: its environment as it was set, less our secrets, plus the display.

    HOME is changed only for who becomes another user by PUID, and could not write there.
    """
    found = without_secrets(environ, plan.secret_variables, shared=True)
    if plan.settings.puid is not None and plan.place.home:
        found["HOME"] = plan.place.home
    return with_display(plan, found)


def of_programs(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """The desktop's programs, and the conductor itself: no secret at all, and what a desktop needs.

    Under an arbitrary uid HOME is `/`, where no program can keep its files: then the plan has
    another. Slim images set no locale, and then a terminal knows ASCII only.
    """
    clean = without_secrets(environ, plan.secret_variables, shared=False)
    if plan.place.home:
        clean["HOME"] = plan.place.home
    if not any(clean.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        clean["LANG"] = "C.UTF-8"
    return with_display(plan, clean)
