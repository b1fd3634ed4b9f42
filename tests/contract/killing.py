"""Real deaths: a forked child stops dead at its n-th file operation, without cleaning up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

OPERATIONS = ("open", "write", "fsync", "rename", "unlink", "mkdir")


def killed_everywhere(prepare: Callable[[], None], act: Callable[[], object]) -> Iterator[int]:
    """For n = 0, 1, 2 …: `prepare()`, then `act()` in a child that dies before its n-th file operation; yields n
    after each death, until `act` comes through."""
    for step in range(200):
        prepare()
        if not _dies(step, act):
            return
        yield step
    raise AssertionError("the act never comes through")


def _dies(step: int, act: Callable[[], object]) -> bool:
    child = os.fork()
    if child == 0:
        done = 0

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal done
                if done == step:
                    os._exit(9)
                done += 1
                return real(*args, **kwargs)

            return call

        for name in OPERATIONS:
            setattr(os, name, counted(getattr(os, name)))
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), "the act failed instead of dying"
    return code == 9
