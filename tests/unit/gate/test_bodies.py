"""What machines and our page send: JSON objects of texts, and nothing else."""

from __future__ import annotations

import pytest

from deskgate.gate.bodies import BadBodyError, base_of, read_body, refuse, seconds_in

from .samples import context, request

GOOD = {
    b"": {},
    b"{}": {},
    b'{"ttl": "1h"}': {"ttl": "1h"},
    b' {"ttl": "", "to": "\\u0000"} ': {"ttl": "", "to": "\0"},
}
BAD = {
    "no JSON": (b"ttl=1h", "give a JSON object such as {}"),
    "no object": (b"[]", "give a JSON object"),
    "too deep": (b"[" * 4000, "give a JSON object"),
    "a number": (b'{"ttl": 30}', "give a JSON object"),
    "no Unicode": (b'{"ttl": "\xff"}', "give a JSON object"),
    "an unknown key": (b'{"rights": "all"}', "rights: not known here; give a JSON object"),
    "a long unknown key": (b'{"' + b"r" * 900 + b'": ""}', "r" * 64 + ": not known"),
}


@pytest.mark.parametrize(("body", "found"), GOOD.items())
def test_a_body_is_an_object_of_texts_or_nothing(body: bytes, found: dict[str, str]) -> None:
    """Whatever those are for."""
    assert read_body(request(body=body), {"ttl", "to"}, example="{}") == found


@pytest.mark.parametrize(("body", "said"), BAD.values(), ids=BAD)
def test_another_body_is_refused_with_what_to_give(body: bytes, said: str) -> None:
    """Its name is cut, as it may be anything."""
    with pytest.raises(BadBodyError) as error:
        read_body(request(body=body), {"ttl", "to"}, example="{}")
    assert str(error.value).startswith(said)


def test_a_time_is_read() -> None:
    """Or not given; or it is none."""
    assert seconds_in({}) is None
    assert seconds_in({"ttl": "2m"}) == 120
    with pytest.raises(BadBodyError, match=r"^ttl: give"):
        seconds_in({"ttl": "soon"})


def test_links_begin_where_the_asker_says() -> None:
    """Or where the start's begin; nowhere that is no address."""
    assert base_of(None, context()) == "http://localhost:8002/"
    assert base_of("https://a.test/lab", context()) == "https://a.test/lab/"
    with pytest.raises(BadBodyError, match=r"^base_url: give"):
        base_of("javascript:1", context())


def test_a_refusal_says_why_in_json() -> None:
    """And is kept by nobody."""
    answer = refuse(context(), 409, 'say "why"')
    assert (answer.status, answer.body) == (409, b'{"error": "say \\"why\\""}')
    assert dict(answer.headers)["Cache-Control"] == "no-store"
