"""The anchor git:DIR: the newest checkpoint of each log in a file, older ones in the history of the repository.

A repository is an anchor only as far as others hold it: if the branch has an upstream, each commit is pushed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from proxy.audit.layout import LOG_ID
from proxy.audit.proof.anchors import SUFFIX, AnchorError
from proxy.audit.verdict import Anchored

PATIENCE = 30.0  # seconds for one command of git; a push to a host that hangs
GRACE = 2.0  # seconds that it then has to end
WHO = {"NAME": "Hushwire audit", "EMAIL": "audit@hushwire.invalid"}


class GitAnchor:
    """A repository, made if DIR is empty or missing."""

    def __init__(self, directory: Path) -> None:
        """Raises AnchorError if there is no git."""
        found = shutil.which("git")
        if found is None:
            raise AnchorError(f"anchor git:{directory}: there is no git; install it, or use file:DIR")
        self.directory, self.name, self._program = directory, f"git:{directory}", found

    def put(self, note: str, log: str) -> None:
        """Commit it, and push if there is somewhere to push to."""
        try:
            self._make()
            with (self.directory / ".git" / "hushwire.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # workers of one proxy share the repository
                path = self.directory / f"{log}{SUFFIX}"
                if not path.exists() or path.read_text() != note or not self._clean(path.name):
                    path.write_text(note)
                    self._git("add", "--", path.name)
                    self._git("commit", "-q", "-m", _subject(note, log), "--", path.name)
        except OSError as error:
            raise AnchorError(f"anchor {self.name}: checkpoints cannot be kept there ({error.strerror})") from None
        if self._asked("rev-parse", "--abbrev-ref", "@{upstream}"):
            self._git("push", "-q")

    def ready(self) -> None:
        """There is a repository, or one can be made; and its files can be written."""
        try:
            self._make()
            for folder in (self.directory, self.directory / ".git"):
                with TemporaryFile(dir=folder) as file:
                    file.write(b".")
        except OSError as error:
            raise AnchorError(
                f"anchor {self.name}: checkpoints cannot be kept there ({error.strerror}); may this user use it?"
            ) from None

    def notes(self, log: str) -> Sequence[Anchored]:
        """Every version that was committed, on any branch, with the time of its commit."""
        path = f"{log}{SUFFIX}"
        if not self._begun():
            return []
        said = self._git("log", "--all", "--reverse", "--format=%H %ct", "--", path).decode().split()
        commits, times = said[::2], map(int, said[1::2])
        asked = "".join(f"{commit}:{path}\n" for commit in commits).encode()
        contents = _contents(self._git("cat-file", "--batch", given=asked))
        return [
            Anchored(content.decode(errors="replace"), self.name, when)
            for content, when in zip(contents, times, strict=True)
            if content is not None
        ]

    def logs(self) -> Iterator[str]:
        """By the names of all files that were ever committed."""
        if self._begun():
            names = self._git("log", "--all", "--format=", "--name-only").decode(errors="replace").split("\n")
            found = {name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)}
            yield from sorted(log for log in found if LOG_ID.fullmatch(log))

    def _make(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if not any(self.directory.iterdir()):
            self._git("init", "-q")
        self._check()

    def _check(self) -> None:
        if not (self.directory / ".git").exists():  # not one somewhere above
            raise AnchorError(
                f"anchor {self.name}: this is no Git repository; name one, or an empty directory to make one in"
            )

    def _begun(self) -> bool:
        """Whether anything was ever committed."""
        self._check()
        return self._asked("rev-parse", "-q", "--verify", "HEAD")

    def _clean(self, name: str) -> bool:
        return self._begun() and not self._git("status", "--porcelain", "--", name)

    def _asked(self, *words: str) -> bool:
        return self._run(words, b"").returncode == 0

    def _git(self, *words: str, given: bytes = b"") -> bytes:
        done = self._run(words, given)
        if done.returncode:
            says = done.stderr.decode(errors="replace").strip().partition("\n")[0]
            raise AnchorError(f"anchor {self.name}: git {words[0]} failed", says or f"{done.returncode}")
        return done.stdout

    def _run(self, words: Sequence[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [self._program, "-C", str(self.directory), *words]
        known = {f"GIT_{role}_{what}": word for role in ("AUTHOR", "COMMITTER") for what, word in WHO.items()}
        outside = {name: word for name, word in os.environ.items() if not name.startswith("GIT_")}
        environ = known | outside | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        pipe = subprocess.PIPE
        with subprocess.Popen(  # noqa: S603 - no shell; words of ours, and a path
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environ, start_new_session=True
        ) as git:
            try:
                said, told = git.communicate(given, PATIENCE)
            except subprocess.TimeoutExpired:
                _end(git)
                took = f"git {words[0]} took more than {PATIENCE:g} seconds"
                raise AnchorError(f"anchor {self.name}: {took}") from None
        return subprocess.CompletedProcess(command, git.returncode, said, told)


def _end(git: subprocess.Popen[bytes]) -> None:
    """With what it has started: a hook, ssh. It is asked first: killed, it would leave its lock on the index, and
    nothing could be committed ever after."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        os.killpg(git.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            git.wait(GRACE)
            return


def _subject(note: str, log: str) -> str:
    _, size, _, seq, *_ = note.split("\n")
    return f"Anchor log {log}: {size} blocks, {seq.removeprefix('seq ')} events"


def _contents(batch: bytes) -> Iterator[bytes | None]:
    """What `git cat-file --batch` has said: a line with type and size, then so many bytes and a line feed."""
    while batch:
        line, _, batch = batch.partition(b"\n")
        if line.endswith(b" missing"):
            yield None  # the commit that removed the file
            continue
        size = int(line.rpartition(b" ")[2])
        yield batch[:size]
        batch = batch[size + 1 :]
