"""The row of a setting: what a field of `Settings` says about itself. Pure."""

from __future__ import annotations

import dataclasses
from typing import Any

from deskgate import forms


def row(
    form: forms.Form,
    about: str,
    *,
    section: str,
    default: str | None = None,
    aliases: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    """Describe one setting.

    Args:
        form: reads the text.
        about: one line for `check` and the docs.
        default: as a person would write it; None for unset.
        aliases: other names for the same thing, in order of precedence.
        secret: never shown; also read from the file that `<NAME>_FILE` names.
    """
    metadata = {
        "form": form,
        "about": about,
        "section": section,
        "default": default,
        "aliases": aliases,
        "secret": secret,
    }
    return dataclasses.field(metadata=metadata)
