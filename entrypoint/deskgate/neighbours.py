"""Who is connected to a port, and who listens, from the kernel's tables (proc(5)). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Final

ESTABLISHED: Final = "01"
LISTEN: Final = "0A"
MAPPED: Final = "0000000000000000FFFF0000"  # of an IPv6 address that stands for one of IPv4
EVERYWHERE: Final = {"00000000", "0" * 32}


def sockets(tables: Sequence[str], state: str) -> Iterator[tuple[str, int, list[str]]]:
    """Of each socket in a state: our address, as the tables write it, our port, all fields."""
    for fields in (line.split() for table in tables for line in table.splitlines()[1:]):
        if fields[3] == state:
            here, _, port = fields[1].rpartition(":")
            yield here, int(port, 16), fields


def listens_everywhere(tables: Sequence[str], port: int) -> bool:
    """Whether somebody takes connections at a port on every address of this machine."""
    found = sockets(tables, LISTEN)
    return any(number == port and here in EVERYWHERE for here, number, _ in found)


def _read_address(text: str) -> IPv4Address:
    return IPv4Address(bytes.fromhex(text)[::-1])  # little-endian


def find_strangers(tables: Sequence[str], routes: str, port: int) -> list[str]:
    """Who is connected to a port from beyond the networks that we are in; of IPv4 alone.

    Args:
        tables: /proc/net/tcp and tcp6.
        routes: /proc/net/route; without a gateway a network is our own.
    """
    networks = [IPv4Network("127.0.0.0/8")]
    for fields in (line.split() for line in routes.splitlines()[1:]):
        if fields[2] == "00000000":
            begin, mask = _read_address(fields[1]), _read_address(fields[7])
            networks.append(IPv4Network(f"{begin}/{mask}"))
    found = [row for _, number, row in sockets(tables, ESTABLISHED) if number == port]
    peers = [row[2].rpartition(":")[0] for row in found]
    known = [each[-8:] for each in peers if len(each) == 8 or each.startswith(MAPPED)]
    addresses = {_read_address(each) for each in known}
    return [
        str(each) for each in sorted(addresses) if not any(each in network for network in networks)
    ]
