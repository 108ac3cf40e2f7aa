"""Completion, by a real bash: what TAB would offer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deskgate.completion import SHELLS
from deskgate.usage import COMMANDS

SOURCES = Path(__file__).parents[2] / "entrypoint"
# As bash does it at TAB: the words so far, and the function that `complete` names for them.
TAB = """
eval "$1"
read -r -a COMP_WORDS <<<"$2"
if [[ $2 == *" " ]]; then COMP_WORDS+=(""); fi
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$2 COMP_POINT=${#2}
[[ $(complete -p deskgate) =~ -F\\ ([^ ]+) ]]
"${BASH_REMATCH[1]}" deskgate "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


def script(shell: str) -> str:
    """What `deskgate completion` prints."""
    words = [sys.executable, "-m", "deskgate", "completion", shell]
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def bash() -> str:
    """The script for bash."""
    return script("bash")


OFFERED = {
    "deskgate st": {"status"},
    "deskgate re": {"render", "restart"},
    "deskgate token ": {"add", "list", "revoke", "rotate"},
    "deskgate url --": {"--help", "--json", "--name", "--once", "--qr", "--role", "--ttl"},
    "deskgate url --role ": {"control", "view"},
    "deskgate token add --role v": {"view"},
    "deskgate status --w": {"--watch"},
    "deskgate completion ": {"bash", "fish", "zsh"},
}


@pytest.mark.parametrize("line", OFFERED)
def test_bash_offers_what_may_follow(line: str, bash: str) -> None:
    """Commands, their options, and the choices of an option."""
    words = ["bash", "--norc", "-c", TAB, "tab", bash, line]
    done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=True)
    assert set(done.stdout.split()) == OFFERED[line]
    assert done.stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script_with_every_command(shell: str) -> None:
    """Of two words as well."""
    text = script(shell)
    for command in COMMANDS:
        assert all(word in text for word in command.name.split())
    assert "watch" in text
