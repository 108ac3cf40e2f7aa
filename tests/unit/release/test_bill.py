"""A bill of materials against what an image lists itself."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from release.bill import differences, packages, settled

BILL: dict[str, Any] = {
    "bomFormat": "CycloneDX",
    "serialNumber": "urn:uuid:of-this-scan",
    "metadata": {"timestamp": "2026-01-01T00:00:00Z", "component": {"name": "deskgate"}},
    "components": [
        {"bom-ref": "5", "type": "operating-system", "name": "debian"},
        {"bom-ref": "4", "purl": "pkg:pypi/MarkupSafe@3.0.4"},
        {"bom-ref": "1", "purl": "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=d-13"},
        {"bom-ref": "2", "purl": "pkg:deb/debian/vim@2%3A9.1%7Erc1?distro=d-13&arch=all"},
        {"bom-ref": "3", "purl": "pkg:npm/%40novnc/novnc@1.6.0"},
        {"bom-ref": "6", "purl": "pkg:golang/stdlib@1.21"},
    ],
    "dependencies": [{"ref": "2", "dependsOn": ["1"]}, {"ref": "1"}],
}
LISTED = {
    "deb": [["libstdc++6", "14.2.0-19", "amd64"], ["vim", "2:9.1~rc1", "all"]],
    "pypi": [["markupsafe", "3.0.4"]],
    "npm": [["@novnc/novnc", "1.6.0"]],
}


def test_a_bill_that_says_what_the_image_says_is_right() -> None:
    """Names and versions as they are, whatever package URLs have to escape."""
    assert packages(BILL, "deb") == {tuple(row) for row in LISTED["deb"]}
    assert list(differences(BILL, LISTED)) == []


WRONG = {
    "one more": (
        "deb",
        ["xterm", "395-1", "amd64"],
        "lacks deb xterm 395-1 amd64",
    ),
    "another version": ("pypi", ["MarkupSafe", "3.0.5"], "lacks pypi markupsafe 3.0.5"),
    "noVNC": ("npm", ["@novnc/novnc", "1.6.1"], "lacks npm @novnc/novnc 1.6.1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_bill_lacks_is_named(case: str) -> None:
    """By kind, name and version."""
    kind, row, said = WRONG[case]
    found = list(differences(BILL, {**LISTED, kind: [*LISTED[kind], row]}))
    assert found == [f"it {said}"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [("deb", "it has deb vim 2:9.1~rc1 all, which the image does not"),
     ("pypi", "it has pypi other 1, which the image does not")],
)  # fmt: skip
def test_what_a_bill_has_beyond_the_image_is_named(kind: str, said: str) -> None:
    """Of the kinds that an image lists whole."""
    other = {"bom-ref": "7", "purl": "pkg:pypi/other@1"}
    bill = {**BILL, "components": [*BILL["components"], other]} if kind == "pypi" else BILL
    listed = {**LISTED, "deb": LISTED["deb"][: 1 if kind == "deb" else 2]}
    assert list(differences(bill, listed)) == [said]


def test_other_packages_of_npm_may_be_there() -> None:
    """A base brings its own, and nothing in it lists them."""
    other = {"bom-ref": "7", "purl": "pkg:npm/undici@7"}
    assert list(differences({**BILL, "components": [*BILL["components"], other]}, LISTED)) == []


@pytest.mark.parametrize("kind", LISTED)
def test_an_image_that_lists_nothing_proves_nothing(kind: str) -> None:
    """Its lists could not be read; an empty bill would be right otherwise."""
    found = list(differences(BILL, {**LISTED, kind: []}))
    assert found[0] == f"the image lists no {kind} package at all"


def test_two_scans_of_an_image_give_one_bill() -> None:
    """Whatever order they found things in, and whenever; another image has another number."""
    again = json.loads(json.dumps(BILL))
    again["components"].reverse()
    again["dependencies"].reverse()
    again["serialNumber"] = "urn:uuid:of-that-scan"
    again["metadata"]["timestamp"] = "2026-02-02T00:00:00Z"
    when = "2026-01-02T03:04:05Z"
    one, other = (settled(bill, image="sha256:12", created=when) for bill in (BILL, again))
    assert one == other
    assert json.dumps(one) == json.dumps(other)
    assert one["metadata"] == {"timestamp": when, "component": {"name": "deskgate"}}
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", one["serialNumber"])
    assert settled(BILL, image="sha256:13", created=when)["serialNumber"] != one["serialNumber"]
    assert {**one, **dict.fromkeys(("serialNumber", "metadata"), 0)}.keys() == BILL.keys()


def test_a_bill_without_dependencies_has_none() -> None:
    """The format does not ask for them."""
    bare = {name: BILL[name] for name in ("metadata", "components")}
    assert settled(bare, image="sha256:12", created="")["dependencies"] == []
