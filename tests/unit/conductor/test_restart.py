"""When a program is started again, and when it is given up."""

from __future__ import annotations

import pytest

from deskgate.conductor.restart import History, Rest, rest_after_end


def died(*, ready_for: float | None, times: int) -> History:
    """A program that died `times` times, each after being ready for so many seconds."""
    history = History()
    now = 1000.0
    for _ in range(times):
        history.started()
        if ready_for is not None:
            history.became_ready(now)
            now += ready_for
        history.died(now)
    return history


def test_the_first_death_is_followed_by_a_start_at_once() -> None:
    """A crash to restarted in under 0.2 s."""
    assert died(ready_for=1.0, times=1).delay_seconds() == 0.0


@pytest.mark.parametrize(
    ("deaths", "seconds"),
    [(2, 0.5), (3, 1.0), (4, 2.0), (5, 4.0), (7, 16.0), (8, 30.0), (5000, 30.0)],
)
def test_the_wait_doubles_up_to_half_a_minute(deaths: int, seconds: float) -> None:
    """0.5 s, doubling, 30 s at the most, however long it goes on."""
    assert died(ready_for=1.0, times=deaths).delay_seconds() == seconds


def test_a_stable_time_forgets_earlier_deaths() -> None:
    """A crash a day is not a crash loop."""
    history = died(ready_for=1.0, times=5)
    history.started()
    history.became_ready(5000.0)
    history.died(5010.0)
    assert history.deaths == 1
    assert history.delay_seconds() == 0.0


def test_one_that_never_became_ready_is_given_up_after_three_tries() -> None:
    """A wrong argument will not get better."""
    assert not died(ready_for=None, times=2).cannot_live()
    assert died(ready_for=None, times=3).cannot_live()


def test_one_that_was_ready_is_given_up_after_eight_tries() -> None:
    """About half a minute of trying."""
    assert not died(ready_for=1.0, times=7).cannot_live()
    assert died(ready_for=1.0, times=8).cannot_live()


def test_restarts_count_what_comes_after_the_first_start() -> None:
    """`deskgate status` shows them."""
    assert History().restarts == 0
    assert died(ready_for=1.0, times=3).restarts == 2


def test_a_new_start_is_not_ready() -> None:
    """Readiness is of a process, not of a program."""
    history = died(ready_for=1.0, times=1)
    history.started()
    assert history.ready_at is None
    assert history.ever_ready


ENDS = [
    # expected, once, restarts, deaths → what becomes of it
    (True, True, "unexpected", 0, Rest.DONE),
    (False, True, "unexpected", 1, Rest.FAILED),
    (False, True, "always", 1, Rest.FAILED),
    (True, False, "never", 1, Rest.DONE),
    (False, False, "never", 1, Rest.FAILED),
    (True, False, "unexpected", 1, Rest.DONE),
    (False, False, "unexpected", 1, None),
    (True, False, "always", 1, None),
    (True, False, "always", 3, Rest.FAILED),
    (False, False, "unexpected", 3, Rest.FAILED),
]


@pytest.mark.parametrize(("expected", "once", "restarts", "deaths", "rest"), ENDS)
def test_after_an_end_a_program_rests_or_is_started_again(
    expected: bool, once: bool, restarts: str, deaths: int, rest: Rest | None
) -> None:
    """As autorestart and exitcodes say; a task that runs once is never started again."""
    history = died(ready_for=None, times=deaths)
    assert rest_after_end(history, expected=expected, once=once, restarts=restarts) == rest
