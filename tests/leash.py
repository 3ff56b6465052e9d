"""A process on a leash: it ends when the one that started it does, also where that one is killed.

It is a program of its own, since nothing may run between the fork of a process of many threads and its exec. It
asks the kernel for a signal at the death of its parent (PR_SET_PDEATHSIG of prctl(2), which only Linux has),
and becomes the program that it is given.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

PR_SET_PDEATHSIG = 1


def leashed(
    argv: Sequence[str], at_death: int = signal.SIGTERM, user: str = "", **kwargs: Any
) -> subprocess.Popen[bytes]:
    """Start `argv`, as `user` if one is named, with `kwargs` as of Popen; it gets `at_death` when we are gone.

    To be called from the main thread: the kernel takes the end of the thread that calls this for our death.
    """
    leash = [sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(at_death)), user]
    return subprocess.Popen([*leash, *argv], **kwargs)


def main() -> None:
    """Put on the leash and become the program that is named."""
    parent, at_death, user, *argv = sys.argv[1:]
    if user:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)  # clears what prctl has set
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(at_death))
    if os.getppid() != int(parent):
        sys.exit(f"{argv[0]}: who asked for it is gone")
    os.execvp(argv[0], argv)  # noqa: S606  # that is what it is for


if __name__ == "__main__":
    main()
