"""The RFB handshake, byte by byte, and VNC's passwords."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskgate import rfb

CHALLENGE = bytes(range(16))
OFFER = b"\x02\x01\x02"  # two types: None and VncAuth
OK = bytes(4)
PASSWORD = b"viewonly"


def feed_all(handshake: rfb.ClientHandshake, chunks: list[bytes]) -> bytes:
    return b"".join(handshake.feed(chunk) for chunk in chunks)


def split(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_control_takes_type_none_however_the_bytes_come(size: int) -> None:
    """Xvnc may split its messages anywhere."""
    handshake = rfb.ClientHandshake(None)
    sent = feed_all(handshake, split(rfb.VERSION + OFFER + OK, size))
    assert sent == rfb.VERSION + b"\x01"
    assert handshake.done


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_view_answers_vncauth_with_its_password(size: int) -> None:
    """The view link's right rests on this password being the one that is used."""
    handshake = rfb.ClientHandshake(PASSWORD)
    sent = feed_all(handshake, split(rfb.VERSION + OFFER + CHALLENGE + OK, size))
    assert sent == rfb.VERSION + b"\x02" + rfb.answer_challenge(PASSWORD, CHALLENGE)
    assert handshake.done


def test_view_never_falls_back_to_none() -> None:
    """A server without VncAuth would let a watcher in with control."""
    handshake = rfb.ClientHandshake(PASSWORD)
    with pytest.raises(rfb.RfbError, match="type 2"):
        feed_all(handshake, [rfb.VERSION, b"\x01\x01"])
    assert not handshake.done


@pytest.mark.parametrize(("offer", "chosen"), [(b"\x02\x01\x02", b"\x01"), (b"\x01\x02", b"\x02")])
def test_control_may_take_none_or_the_password(offer: bytes, chosen: bytes) -> None:
    """As Xvnc has it: with VncAuth alone, nobody gets past the gate."""
    handshake = rfb.ClientHandshake(PASSWORD, none_is_fine=True)
    assert handshake.feed(rfb.VERSION + offer) == rfb.VERSION + chosen


REFUSING = [
    ("version 3.3", b"RFB 003.003\n", "003.008"),
    ("another protocol", b"SSH-2.0-Open", "003.008"),
    ("types without None", rfb.VERSION + b"\x01\x10", "type 1"),
    ("refused at once", rfb.VERSION + b"\x00" + b"\0\0\0\x04full", "refused: full"),
    ("refused at the end", rfb.VERSION + OFFER + b"\0\0\0\x01\0\0\0\x03bad", "refused: bad"),
    (
        "a reason without end",
        rfb.VERSION + b"\x00\xff\xff\xff\xff" + b"x" * rfb.MAX_REASON_BYTES,
        "refused: x",
    ),
]


@pytest.mark.parametrize(("what", "sent", "said"), REFUSING, ids=[row[0] for row in REFUSING])
@pytest.mark.parametrize("size", [1, 1000])
def test_a_refusing_server_is_an_error(what: str, sent: bytes, said: str, size: int) -> None:
    """And its reason is said."""
    handshake = rfb.ClientHandshake(None)
    with pytest.raises(rfb.RfbError, match=said):
        feed_all(handshake, split(sent, size))


def test_a_reason_is_waited_for() -> None:
    """Half a reason is no error yet."""
    handshake = rfb.ClientHandshake(None)
    feed_all(handshake, [rfb.VERSION, b"\x00", b"\0\0\0\x04fu"])
    assert not handshake.done


@given(st.binary(max_size=200), st.sampled_from([None, PASSWORD]))
def test_no_server_bytes_break_the_client_half(data: bytes, password: bytes | None) -> None:
    """Whatever comes, it is taken or refused with our own error."""
    handshake = rfb.ClientHandshake(password)
    try:
        handshake.feed(rfb.VERSION + data)
    except rfb.RfbError:
        assert not handshake.done


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_the_viewer_is_offered_none_and_the_rest_is_not_ours(size: int) -> None:
    """What follows the handshake reaches Xvnc unchanged."""
    handshake = rfb.ServerHandshake()
    replies, rests = b"", b""
    for chunk in split(rfb.VERSION + b"\x01" + b"\x01 and on", size):
        reply, rest = handshake.feed(chunk)
        replies, rests = replies + reply, rests + rest
    assert replies == b"\x01\x01" + OK
    assert rests == b"\x01 and on"
    assert handshake.done
    assert handshake.refused is None


REASON_33 = b"only RFB 003.008 is served"
REASON_TYPE = b"only security type None"
REFUSED = [
    ("3.3", b"RFB 003.003\n", b"\0" + len(REASON_33).to_bytes(4, "big") + REASON_33),
    ("3.7", b"RFB 003.007\n", b"\0" + len(REASON_33).to_bytes(4, "big") + REASON_33),
    ("garbage", b"GET / HTTP/1", b"\0" + len(REASON_33).to_bytes(4, "big") + REASON_33),
    (
        "VncAuth",
        rfb.VERSION + b"\x02",
        b"\x01\x01\0\0\0\x01" + len(REASON_TYPE).to_bytes(4, "big") + REASON_TYPE,
    ),
]


@pytest.mark.parametrize(("what", "sent", "reply"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_wrong_viewer_is_told_why_and_reaches_nothing(
    what: str, sent: bytes, reply: bytes
) -> None:
    """RFC 6143, 7.1.2 and 7.1.3; even what is glued behind stays here."""
    handshake = rfb.ServerHandshake()
    assert handshake.feed(sent + b"\x01secret") == (reply, b"")
    assert handshake.refused is not None
    assert not handshake.done
    assert handshake.feed(rfb.VERSION + b"\x01\x01") == (b"", b"")


@given(st.binary(max_size=64))
def test_no_viewer_bytes_break_the_server_half(data: bytes) -> None:
    """Only the right opening gets through."""
    handshake = rfb.ServerHandshake()
    handshake.feed(data)
    assert handshake.done == data.startswith(rfb.VERSION + b"\x01")


# `printf password | vncpasswd -f` of TigerVNC.
PASSWORDS = [
    (b"password", "dbd83cfd727a1458"),
    (b"secret12", "24b5ae4ce15503c6"),
    (b"password and more", "dbd83cfd727a1458"),
]


@pytest.mark.parametrize(("password", "stored"), PASSWORDS)
def test_passwords_are_stored_as_vncpasswd_stores_them(password: bytes, stored: str) -> None:
    """Xvnc reads the file."""
    assert rfb.obfuscate(password).hex() == stored


@pytest.mark.parametrize("password", [b"", b"a", b"12345678"])
def test_a_stored_password_can_be_read_again(password: bytes) -> None:
    """The gate reads the view password from Xvnc's own file."""
    assert rfb.deobfuscate(rfb.obfuscate(password)) == password
