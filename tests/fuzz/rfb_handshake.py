"""Both halves of the RFB opening, fed with anything: what comes of it does not depend on pieces."""

from __future__ import annotations

from deskgate import rfb

from .wire import pieces

PASSWORD = b"viewonly"
# As the gate makes them: for a control link with and without a password file, for a view link.
CLIENTS = ((None, True), (PASSWORD, True), (PASSWORD, False))


def as_client(chunks: list[bytes], password: bytes | None, *, none_is_fine: bool) -> list[object]:
    """What our half towards Xvnc makes of its bytes: what it says, and how it ends."""
    handshake = rfb.ClientHandshake(password, none_is_fine=none_is_fine)
    sent = b""
    try:
        for chunk in chunks:
            if handshake.done:
                break  # the rest is the relay's; the bytes of one piece are at most lost with it
            sent += handshake.feed(chunk)
    except rfb.RfbError as error:
        assert not handshake.done
        # What it said before may depend on the pieces: nobody reads it any more.
        return [str(error)]
    return [sent, handshake.done]


def as_server(chunks: list[bytes]) -> list[object]:
    """What our half towards the viewer makes of its bytes."""
    handshake = rfb.ServerHandshake()
    replies, rests = b"", b""
    for chunk in chunks:
        reply, rest = handshake.feed(chunk) if not handshake.done else (b"", chunk)
        assert not rest or handshake.done, "bytes for Xvnc before the opening is over"
        replies, rests = replies + reply, rests + rest
    return [replies, rests, handshake.done, handshake.refused]


def check(data: bytes) -> None:
    """Feed the bytes to every half, at once and in pieces."""
    for password, none_is_fine in CLIENTS:
        ends = [as_client(chunks, password, none_is_fine=none_is_fine) for chunks in pieces(data)]
        assert all(end == ends[0] for end in ends), ends
        if not none_is_fine and ends[0][-1] is True:
            check_watcher(data, ends[0][0])
    ends = [as_server(chunks) for chunks in pieces(data)]
    assert all(end == ends[0] for end in ends), ends
    opened = data.startswith(rfb.VERSION + bytes([rfb.NONE]))
    assert ends[0][2] == opened, "another opening than RFB 3.8 with type None"
    assert ends[0][1] == (data[13:] if opened else b""), "Xvnc hears something else"


def check_watcher(data: bytes, sent: object) -> None:
    """A view link gets in by answering the challenge with the view password, never otherwise."""
    assert isinstance(sent, bytes)
    chosen = rfb.VERSION + bytes([2])  # VncAuth, RFC 6143, 7.2.2
    assert sent.startswith(chosen), "a watcher is let in without a password"
    at = 12 + 1 + data[12]  # behind the version and the types that are offered
    answer = rfb.answer_challenge(PASSWORD, data[at : at + rfb.CHALLENGE_BYTES])
    assert sent == chosen + answer, "a watcher answers with something else"
