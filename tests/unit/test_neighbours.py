"""The kernel's tables of sockets, as they stand in /proc/net."""

from __future__ import annotations

import socket
from pathlib import Path

from deskgate.neighbours import find_strangers, listens_everywhere

HEAD = "  sl  local_address rem_address   st\n"
# 172.17.0.2:8002 ← 172.17.0.1 (gateway), 203.0.113.5; another port; one that only listens.
TCP = (
    f"{HEAD}"
    "   0: 020011AC:1F42 010011AC:C350 01 rest\n"
    "   1: 020011AC:1F42 057100CB:C351 01 rest\n"
    "   2: 020011AC:1F43 067100CB:C352 01 rest\n"
    "   3: 00000000:1F42 00000000:0000 0A rest\n"
)
MAPPED = "0000000000000000FFFF0000"
# The same by the dual-stack listener: 198.51.100.7, and one of IPv6.
TCP6 = (
    f"{HEAD}"
    f"   0: {MAPPED}020011AC:1F42 {MAPPED}076433C6:C353 01 rest\n"
    "   1: B80D0120000000000000000001000000:1F42 B80D0120000000000000000002000000:C354 01 rest\n"
    "   2: 00000000000000000000000000000000:1F43 00000000000000000000000000000000:0000 0A rest\n"
)
# The default route by 172.17.0.1, and our own network.
ROUTES = (
    "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    "eth0 00000000 010011AC 0003 0 0 0 00000000 0 0 0\n"
    "eth0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0\n"
)


def test_strangers_are_those_from_beyond_our_networks() -> None:
    """A proxy beside us and the gateway are none."""
    assert find_strangers([TCP, TCP6], ROUTES, 8002) == ["198.51.100.7", "203.0.113.5"]
    assert find_strangers([TCP], ROUTES, 8004) == []


def test_without_routes_all_but_loopback_are_strangers() -> None:
    """A container without a network has nobody to fear."""
    loopback = f"{HEAD}   0: 0100007F:1F42 0100007F:C350 01 rest\n"
    assert find_strangers([loopback], "head\n", 8002) == []


def test_a_listener_of_all_addresses_is_found() -> None:
    """Of IPv4 and of IPv6."""
    assert listens_everywhere([TCP], 8002)
    assert listens_everywhere([TCP6], 8003)
    assert not listens_everywhere([TCP, TCP6], 8004)


def test_the_kernel_writes_them_so() -> None:
    """A listener of this machine's own."""
    with socket.create_server(("127.0.0.1", 0)) as local, socket.create_server(("", 0)) as wide:
        table = Path("/proc/net/tcp").read_text()
        assert not listens_everywhere([table], local.getsockname()[1])
        assert listens_everywhere([table], wide.getsockname()[1])
