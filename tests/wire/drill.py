"""What the drills of the running proxy share: a raw service behind it, and looks at the process.

The ends of the sockets are in tests/wire/ends.py.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from tests.harness import Hushwire
from tests.wire.ends import PATIENCE, End, opened
from tests.wire.frames import CLOSE, PING, PONG, close

Behave = Callable[[End], None]
Secure = Callable[[socket.socket], socket.socket]


def echo(end: End) -> None:
    """Accept, then answer every message with itself, pings with pongs and CLOSE with CLOSE."""
    end.accept()
    while (frame := end.hears()) is not None:
        if frame.opcode == PING:
            end.say(PONG, frame.payload)
        elif frame.opcode != PONG:
            end.say(frame.opcode, frame.payload, fin=frame.fin, rsv=frame.rsv)
        if frame.opcode == CLOSE:
            return


class Service:
    """An upstream on loopback. Each connection is played by `behave` in a thread, once its request was heard.

    `secure` wraps what was accepted, in TLS for example. What breaks a connection is the drill's own doing;
    `faults` keeps whatever is not an end of connection.
    """

    def __init__(self, behave: Behave = echo, receive_buffer: int = 0, secure: Secure | None = None) -> None:
        self.behave, self.secure = behave, secure
        self.ends: list[End] = []  # every connection that ever came, in order
        self.open = 0
        self.faults: list[BaseException] = []
        self._lock = threading.Lock()
        self._listener = socket.socket()
        if receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(1024)
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return  # closed by `__exit__`
            end = End(sock, None)
            with self._lock:
                self.ends.append(end)
                self.open += 1
            threading.Thread(target=self._play, args=(end,), daemon=True).start()

    def _play(self, end: End) -> None:
        try:
            if self.secure is not None:
                end.sock = self.secure(end.sock)
            if end.hears_head():
                self.behave(end)
        except OSError:
            pass  # reset, timed out or closed under its hands
        except BaseException as error:
            self.faults.append(error)
        finally:
            end.sock.close()
            with self._lock:
                self.open -= 1

    def last(self) -> End:
        """The connection that came last."""
        return self.ends[-1]

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        assert not self.faults, self.faults


# -- the process ---------------------------------------------------------------------------------------------


def admin_answer(proxy: Hushwire, path: str) -> tuple[int, str]:
    """Status and body of a side door."""
    try:
        with urllib.request.urlopen(f"http://{proxy.admin}{path}", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def metrics(proxy: Hushwire) -> dict[str, float]:
    """Every sample by its name with labels, as Prometheus reads them."""
    _, text = admin_answer(proxy, "/-/metrics")
    rows = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


def still_open(proxy: Hushwire) -> float:
    """How many connections the proxy says it holds."""
    return metrics(proxy)["hushwire_connections_open"]


def descriptors(proxy: Hushwire) -> int:
    """Open files of the process."""
    return len(list(Path(f"/proc/{proxy.process.pid}/fd").iterdir()))


def memory(proxy: Hushwire) -> int:
    """Resident bytes of the process."""
    return int(Path(f"/proc/{proxy.process.pid}/statm").read_text().split()[1]) * 4096


def eventually(holds: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Whether `holds` becomes true in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def serves(proxy: Hushwire, text: bytes = b"still here") -> bool:
    """Whether a new connection is served from handshake to close."""
    with opened(proxy) as end:
        end.say(1, text)
        frame = end.hears()
        end.say(CLOSE, close(1000))
        return frame is not None and frame.payload == text and end.hears_close() == 1000


@contextlib.contextmanager
def undisturbed(proxy: Hushwire) -> Iterator[None]:
    """A healthy connection that speaks all the while and must never notice what else goes on."""
    stop, heard = threading.Event(), [0]
    with opened(proxy) as end:

        def chat() -> None:
            while not stop.is_set():
                end.say(1, b"number %d" % heard[0])
                if end.hears_payload() != b"number %d" % heard[0]:
                    return
                heard[0] += 1
                time.sleep(0.005)

        thread = threading.Thread(target=chat, daemon=True)
        thread.start()
        yield
        assert thread.is_alive(), "the healthy connection was disturbed"
        before = heard[0]
        assert eventually(lambda: heard[0] > before), "the healthy connection stands still"
        stop.set()
        thread.join(PATIENCE)
        end.say(CLOSE, close(1000))
        assert end.hears_close() == 1000
