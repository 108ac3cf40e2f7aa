"""Write what is generated in the docs: `python docs/generate.py` (`make docs`).

`tests/unit/test_docs.py` fails while a page is stale.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "entrypoint"), str(ROOT)]

from deskgate.reading import variables_of  # noqa: E402
from deskgate.settings import ROWS, SECTIONS  # noqa: E402
from docs.attacks import attacks_page  # noqa: E402
from docs.navigation import index_page  # noqa: E402
from docs.newcomers import FROM, from_page  # noqa: E402

HEAD = """\
# Settings

<!-- Written by docs/generate.py from entrypoint/deskgate/settings.py. Edit that. -->

Each setting is an environment variable. Empty means unset. All bad values are reported together,
with what is allowed, and nothing starts; `deskgate check` shows what is in force and its source.
A secret can also come from a file: set its name with `_FILE` at the end to the path.
"""


def settings_page() -> str:
    """Every row, by section."""
    lines = [HEAD]
    for section in SECTIONS:
        lines += [f"## {section.capitalize()}", ""]
        lines += ["| variable | default | meaning | also understood |", "|---|---|---|---|"]
        for name, field in ROWS.items():
            about = field.metadata
            if about["section"] != section:
                continue
            names = f"`{name}`" + (f", `{name}_FILE`" if about["secret"] else "")
            default = f"`{about['default']}`" if about["default"] else ""
            aliases = ", ".join(f"`{alias}`" for alias in variables_of(field)[1:])
            lines.append(
                f'| <a id="{name.lower()}"></a>{names} | {default} | {about["about"]} | {aliases} |'
            )
        lines.append("")
    return "\n".join(lines)


def images_page() -> str:
    """The page as it is, with the table of sizes anew."""
    targets = json.loads((ROOT / "docker/docker-bake.json").read_text(encoding="utf-8"))["target"]
    sizes = json.loads((ROOT / "docker/sizes.json").read_text(encoding="utf-8"))
    rows = [
        f"| `{name}` | `{targets[name]['args']['BASE']}` | {size['with packages']} "
        f"| {size['without']} |"
        for name, size in sizes.items()
    ]
    page = (ROOT / "docs/explanation/images.md").read_text(encoding="utf-8")
    before, mark, rest = page.partition("|---|---|---|---|\n")
    after = rest.partition("\n\n")[2]
    return "\n".join([before + mark + rows[0], *rows[1:], "", after])


MODULES = """\
// What page.js imports, and what that imports. Written by docs/generate.py.

export const MODULES = [
{}];
"""
IMPORT = re.compile(r"""^(?:import|export)\b[^;"']*["'](\.[^"']+)["']""", re.MULTILINE)
OWN, NOVNC = ROOT / "templates" / "web" / "page", ROOT / "third_party" / "novnc"


def modules() -> str:
    """Every module that our page loads, the first ones aside, in the order that they are met."""

    def file_of(name: str) -> Path:
        return OWN / name if "/" not in name else NOVNC / name.removeprefix("../")

    found = ["page.js"]
    for name in found:  # and those that are found meanwhile
        for target in IMPORT.findall(file_of(name).read_text(encoding="utf-8")):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
            if path not in found:
                found.append(path)
    early = {"main.js", "channel.js", "gate.js", "modules.js"}  # of index.html
    return MODULES.format("".join(f'  "{name}",\n' for name in found if name not in early))


PAGES: dict[str, Callable[[], str]] = {
    **{f"docs/from/{name}.md": partial(from_page, name) for name in FROM},
    "docs/settings.md": settings_page,
    "docs/explanation/security.md": attacks_page,
    "docs/explanation/images.md": images_page,
    "docs/index.md": index_page,
    "templates/web/page/modules.js": modules,
}

if __name__ == "__main__":
    for page, write in PAGES.items():
        (ROOT / page).write_text(write(), encoding="utf-8")
