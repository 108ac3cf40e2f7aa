"""The search for secrets finds what it is for; the suites' own guard is tested like the product."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.container.canary import FORMS, Finding, search
from tests.container.leaks import Ledger

SECRET = b"Canary-0123456789abcdefghijklmnop_QRSTUV"
HIDDEN = {
    "raw": [SECRET, b"token=" + SECRET + b"&x=y"],
    "percent-encoded": [
        b"".join(b"%%%02X" % byte for byte in SECRET),
        b"%43" + SECRET[1:],
    ],
    "base64": [
        base64.b64encode(SECRET),
        base64.urlsafe_b64encode(b"u:" + SECRET + b"!"),
        base64.b64encode(b"?" + SECRET),
    ],
    "hex": [SECRET.hex().encode(), SECRET.hex().upper().encode()],
    "reversed": [SECRET[::-1]],
    "split by newline": [
        b"\n".join(SECRET[at : at + 10] for at in range(0, len(SECRET), 10)),
        json.dumps((SECRET[:7] + b"\r\n" + SECRET[7:]).decode()).encode(),
    ],
    "cut": [SECRET[:25], b"gate: " + SECRET[:19] + b"\ngate: " + SECRET[19:]],
}
CASES = [(form, text) for form, texts in HIDDEN.items() for text in texts]


@pytest.mark.parametrize(("form", "text"), CASES)
def test_l7_every_form_of_a_secret_is_found(form: str, text: bytes) -> None:
    """By its form, in the place where it stands, and in no other."""
    traces = [("here", b"before " + text + b" behind"), ("there", b"nothing to see")]
    found = search({"token 1": SECRET}, traces)
    assert Finding(secret="token 1", form=form, place="here") in found
    assert {each.place for each in found} == {"here"}
    assert SECRET.decode() not in "".join(map(str, found))


def test_every_form_has_a_case() -> None:
    """A form that nobody tries may find nothing."""
    assert FORMS.keys() == HIDDEN.keys()


@given(st.binary(min_size=16, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_l7_base64_is_found_wherever_it_begins(secret: bytes, before: bytes, behind: bytes) -> None:
    """Three bytes make four digits, so what stands before a secret changes how it looks."""
    text = base64.b64encode(before + secret + behind)
    assert "base64" in {each.form for each in search({"it": secret}, [("text", text)])}


def test_what_is_no_secret_is_not_found() -> None:
    """Another token, less than half of this one, or one that two traces make only together."""
    halfway = len(SECRET) // 2
    traces = [
        ("another", b"0123456789abcdef" * 4),
        ("a piece", SECRET[: halfway - 1]),
        ("one", b"x" + SECRET[1:halfway]),
        ("two", SECRET[halfway:-1]),
    ]
    assert search({"it": SECRET}, traces) == []
    assert search({}, [("it", SECRET)]) == []


def test_a_ledger_learns_what_somebody_was_told() -> None:
    """Tokens, tickets and cookies of answers and commands; it looks for them from then on."""
    ledger = Ledger([SECRET.decode()])
    ledger.learn(f"http://h/#token={'a1' * 32}\nhttp://h/#ticket={'b2' * 16}")
    cookie = f"v1.{'0' * 16}.1.{'1' * 32}.{'c3' * 32}"
    told = json.dumps({"token": "d4" * 32, "url": "http://h/#token=" + "d4" * 32}).encode()
    ledger.answer(201, {"set-cookie": f"vnc_0123abcd={cookie}; HttpOnly"}, told)
    known = [secret.decode() for secret in ledger.secrets]
    assert known == [SECRET.decode(), "a1" * 32, "b2" * 16, "d4" * 32, "c3" * 32]
    assert search({"cookie": b"c3" * 32}, ledger.shown) == []


@pytest.mark.parametrize("status", [303, 401, 404, 503])
def test_l4_a_page_and_a_head_are_searched(status: int) -> None:
    """Of each answer that is not simply what was asked for."""
    for headers, body in (({"location": f"./?token={SECRET.decode()}"}, b""), ({}, SECRET)):
        ledger = Ledger([SECRET.decode()])
        ledger.answer(status, headers, body)
        assert search({"it": SECRET}, ledger.shown)
