"""Fork server of the reading processes: has loaded what they need, and forks a new one for each file.

Run as ``python -m pipeline.read.fork_server OWNER`` by ``readers.py``, on Linux. It never touches a byte of a file:
each is read by a process of its own (``child.py``), with its own limits, that gives up everything else before the first
byte arrives; whatever happens to one, the others and the server go on. One thread, so that a fork is a whole process.

Over the socket at its standard input an order is a byte and four descriptors: the three streams of the new process and
its control socket. The answer is the number of the process, 0 when the system allowed none. Whoever has the other end
of a control socket gets the exit code over it, and shuts it down to have the process killed: only the server knows that
the number still is that process's.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from pipeline.read import child

STREAMS = 3
_MOST = 64
_HIGHEST = 65_536
"""Above every descriptor that the server can come to have: a new one gets the lowest free number."""


if sys.platform == "linux":

    def main() -> None:
        """Serves until its owner, the process with the number on the command line, is gone."""
        owner = int(sys.argv[1])
        orders = socket.socket(fileno=os.dup(0))
        gc.collect()
        gc.freeze()  # what is loaded stays as it is, in memory that all forks share
        _Server(orders, owner).serve()

    class _Server:
        def __init__(self, orders: socket.socket, owner: int) -> None:
            self._orders = orders
            self._alive: dict[int, socket.socket] = {}
            self._ready = selectors.DefaultSelector()
            self._ready.register(orders, selectors.EVENT_READ)
            self._ended, wake = socket.socketpair()
            wake.setblocking(False)
            self._wake = wake
            self._ready.register(self._ended, selectors.EVENT_READ)
            signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
            signal.signal(signal.SIGCHLD, lambda *_: None)
            with suppress(OSError, AttributeError):  # its end of the socket may be in somebody else's hands too
                self._ready.register(os.pidfd_open(owner), selectors.EVENT_READ, "owner")

        def serve(self) -> None:
            while True:
                for key, _ in self._ready.select():
                    if key.data == "owner":
                        return
                    if key.fileobj is self._ended:
                        self._ended.recv(_MOST)
                        self._say_who_ended()
                    elif key.fileobj is self._orders:
                        word, descriptors, _, _ = socket.recv_fds(self._orders, _MOST, STREAMS + 1)
                        if not word:
                            return
                        self._fork(descriptors)
                    elif key.data in self._alive:  # its control socket was shut down
                        self._ready.unregister(key.fileobj)
                        os.kill(key.data, signal.SIGKILL)

        def _fork(self, descriptors: Sequence[int]) -> None:
            *streams, control = descriptors
            parent = os.getpid()
            try:
                number = os.fork()
            except OSError:
                number = -1
            if number == 0:
                _read(streams, parent)
            for descriptor in streams:
                os.close(descriptor)
            keeper = socket.socket(fileno=control)
            if number > 0:
                self._alive[number] = keeper
                self._ready.register(keeper, selectors.EVENT_READ, number)
            else:
                keeper.close()
            self._orders.sendall(b"%d" % max(number, 0))

        def _say_who_ended(self) -> None:
            for number, keeper in list(self._alive.items()):
                ended, status = os.waitpid(number, os.WNOHANG)
                if ended:
                    del self._alive[number]
                    with suppress(KeyError, ValueError):  # it was to be killed
                        self._ready.unregister(keeper)
                    with suppress(OSError):  # nobody wants to know
                        keeper.sendall(b"%d" % os.waitstatus_to_exitcode(status))
                    keeper.close()

    def _read(streams: Sequence[int], parent: int) -> NoReturn:
        """In the new process: nothing of the server stays open, then what a reading process does."""
        try:
            child.die_with(parent)  # it may wait for its file for a while
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number, descriptor in enumerate(streams):
                os.dup2(descriptor, number)
            _close_others()
            child.main()
        except BaseException:
            traceback.print_exc()
        os._exit(1)

    def _close_others() -> None:
        """Closes all but the three streams: only what is open, as the highest number may be a thousand million."""
        try:
            numbers = [int(one.name) for one in Path("/proc/self/fd").iterdir()]
        except (OSError, ValueError):  # no such folder here
            os.closerange(STREAMS, _HIGHEST)
            return
        for number in numbers:
            if number >= STREAMS:
                with suppress(OSError):  # that of the list itself is closed already
                    os.close(number)

    if __name__ == "__main__":
        main()
