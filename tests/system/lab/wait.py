"""Waiting for a condition, with a limit, never for a length of time."""

import time


def until(condition, what, timeout=30.0, every=0.02):
    """Return the first true value of condition(); raise TimeoutError naming what was awaited. The last look is after the
    limit, so that a machine that stands still for as long fails nothing."""
    end = time.monotonic() + timeout
    while True:
        last = time.monotonic() > end
        value = condition()
        if value:
            return value
        if last:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(every)
