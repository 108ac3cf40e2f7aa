"""What chaos concludes: who needs a rest, and the table."""

from __future__ import annotations

import pytest

from deskgate.conductor.restart import STABLE_SECONDS
from tests.chaos.report import STREAK, Healing, Streaks, table


def test_the_table_has_a_row_for_each_fault_and_one_for_all() -> None:
    """What was never healed counts as wedged, and has no time."""
    healings = [
        Healing(fault="b", seconds=1.0),
        Healing(fault="b", seconds=None),
        Healing(fault="b", seconds=3.0),
        Healing(fault="a", seconds=None),
    ]
    assert table(healings).splitlines()[2:] == [
        "| a | 1 | – | – | – | 1 |",
        "| b | 3 | 2.00 | 2.98 | 3.00 | 1 |",
        "| all | 4 | 2.00 | 2.98 | 3.00 | 2 |",
    ]


def test_who_died_too_often_in_a_row_gets_a_rest() -> None:
    """Until the conductor forgets it: eight deaths in a row rightly end the container."""
    streaks = Streaks()
    streaks.look({"gate": 0, "xvnc": 0}, 0)
    for number in range(1, STREAK):
        streaks.look({"gate": number, "xvnc": 0}, number)
        assert streaks.rest_seconds(number) == 0
    streaks.look({"gate": STREAK, "xvnc": 0}, STREAK)
    assert streaks.rest_seconds(STREAK + 4) == pytest.approx(STABLE_SECONDS - 4)
    assert streaks.rest_seconds(STREAK + STABLE_SECONDS) == 0


def test_a_death_after_a_rest_is_the_first_again() -> None:
    """As the conductor counts."""
    streaks = Streaks()
    streaks.look({"gate": STREAK}, 1)
    assert streaks.rest_seconds(1) > 0
    streaks.look({"gate": STREAK + 1}, 1 + STABLE_SECONDS)
    assert streaks.rest_seconds(1 + STABLE_SECONDS) == 0
