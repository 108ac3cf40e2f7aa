"""The arithmetic of an end: who gets how long, and what is done to whom when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskgate.conductor.budget import (
    BUDGET_SECONDS,
    COMMAND_SECONDS,
    KILL_SECONDS,
    Farewell,
    Step,
    grace_seconds,
)

# What is left, what each level wants (the one that stops now first) → what that one gets; the
# kills of all of them are paid for before.
GRACES = [
    (9.0, [1.0], 1.0),
    (9.0, [10.0], 8.8),
    (9.0, [1.0, 1.0, 1.0], 1.0),
    (9.0, [10.0, 10.0, 10.0], 2.8),
    (9.0, [10.0, 1.0, 1.0], 6.4),
    (9.0, [1.0, 10.0, 10.0], 1.0),
    (9.0, [10.0, 5.0, 1.0], 3.7),
    (9.0, [5.0, 10.0, 1.0], 3.7),
    (2.0, [1.0, 1.0, 1.0], 1.4 / 3),
    (2.0, [10.0, 0.0, 1.0], 0.7),
    (0.1, [1.0], 0.0),
    (-3.0, [1.0, 1.0], 0.0),
]


@pytest.mark.parametrize(("left", "wants", "grace"), GRACES)
def test_a_level_gets_what_it_wants_or_a_fair_share(
    left: float, wants: list[float], grace: float
) -> None:
    """What others do not want is shared among those that do."""
    assert grace_seconds(left, wants) == pytest.approx(grace)


@given(
    st.floats(0, BUDGET_SECONDS), st.lists(st.integers(0, 3600).map(float), min_size=1, max_size=9)
)
def test_stubborn_levels_stay_within_the_budget(left: float, wants: list[float]) -> None:
    """Each takes all that it gets, dies only when it is killed, and not at once even then."""
    taken = 0.0
    for at in range(len(wants)):
        taken += grace_seconds(left - taken, wants[at:]) + KILL_SECONDS
    assert taken <= max(left, len(wants) * KILL_SECONDS) + 1e-6


def test_the_command_leaves_something_to_the_programs() -> None:
    """Three levels of stubborn programs after a stubborn command."""
    left = BUDGET_SECONDS - COMMAND_SECONDS - KILL_SECONDS
    assert grace_seconds(left, [1.0, 1.0, 1.0]) >= 0.3


def test_a_stubborn_program_is_asked_again_then_killed_then_left() -> None:
    """Once a second; what cannot be killed does not keep the rest waiting."""
    farewell = Farewell(ask_at=100.0, kill_at=102.5)
    done = []
    now = 100.0
    while not farewell.left:
        assert farewell.step(now - 0.001) is None
        done.append((now, farewell.step(now)))
        now = farewell.due()
    assert done == [
        (100.0, Step.ASK),
        (101.0, Step.ASK),
        (102.0, Step.ASK),
        (102.5, Step.KILL),
        (102.5 + KILL_SECONDS, None),
    ]


def test_without_any_time_a_program_is_killed_at_once() -> None:
    """The budget is used up."""
    assert Farewell(ask_at=5.0, kill_at=5.0).step(5.0) is Step.KILL
