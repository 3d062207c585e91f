"""Waiting for a condition, with a limit, never for a length of time."""

import time


def until(condition, what, timeout=30.0, every=0.02):
    """Return the first true value of condition(); raise TimeoutError naming what was awaited."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(every)
