"""Rules while the proxy runs: one function puts others in force, whoever asks for it.

The first load, an edited file, a save through the side door, a rollback and an exception that ends are all
`Rules.try_swap`: the candidate is built aside, proves itself on its examples, is compiled and warmed, and only
then takes the place of the old rules. One with a fault changes nothing, and is loud. There is no event loop here:
the proxy calls it in a thread (proxy/rulebook/watch.py), and connections see nothing but another pointer.
"""

from __future__ import annotations

import dataclasses
import fcntl
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Generic

from proxy.codecs import choose
from proxy.core.live import Live
from proxy.core.tally import RulesState
from proxy.rulebook.disk import digest_of, locked, replace
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.ground import D, Ground
from proxy.rulebook.load import SHIPPED, Built, File, build, find
from proxy.rulebook.versions import Version, VersionError, Versions

log = logging.getLogger("hushwire")

TOLD = 20  # faults whose places are logged
APPLIED, REFUSED = "applied", "refused"


@dataclasses.dataclass(frozen=True, slots=True)
class Edit:
    """New contents of files, to be written once they are proven, and only while the rule file still has the
    SHA-256 `expected`: nobody overwrites what he has not seen. None: there is none."""

    contents: Mapping[Path, bytes]
    expected: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Trouble:
    """Why the files are not in force, and since when (Unix time): they have `faults`."""

    since: float
    faults: tuple[Fault, ...]


class Rules(Generic[D]):
    """The rules of one file, and of all `routes` that name it. `source` is their name or path.

    They are built on `ground`. `ready` makes built ones ready to run: whatever a first message would have to wait
    for. `versions` keeps what was in force.
    """

    live: Live
    built: Built[D]
    """Both are there once the first `try_swap` has returned."""

    def __init__(
        self,
        routes: Sequence[str],
        source: str,
        ground: Ground[D],
        ready: Callable[[Built[D]], None],
        versions: Versions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.routes = tuple(routes)
        self.source = source
        self.main = find(source).absolute()
        self.ground = ground
        self.ready = ready
        self.versions = versions
        self.clock = clock
        self.trouble: Trouble | None = None
        self.swapped = 0.0  # when these rules went live, Unix time
        self.due: float | None = None  # when an exception ends, so that they must be made anew
        self.results: Counter[str] = Counter()
        self._turn = Lock()
        self._seen: dict[Path, str | None] = {self.main: None}  # SHA-256 of each file at the last attempt

    @property
    def _loaded(self) -> bool:
        return hasattr(self, "live")

    @property
    def shipped(self) -> bool:
        """Whether they came with Hushwire, and are not to be written."""
        return self.main.parent == SHIPPED

    @property
    def files(self) -> Iterable[Path]:
        """Whatever they depend on."""
        return self._seen

    # -- the one function ---------------------------------------------------------------------------------

    def try_swap(self, edit: Edit | None = None) -> Built[D]:
        """Build what the files say, or what `edit` makes of them, and put it in force. Blocks for seconds.

        Raises RulesError with all faults, ChangedError if somebody was faster than `edit`, OSError if it cannot be
        written. Then everything is as it was before.
        """
        with self._turn:
            before = {path: digest_of(path) for path in self._seen}
            try:
                built = self.candidate(None if edit is None else edit.contents)
                if edit is not None:
                    replace(edit.contents, self.main, edit.expected)
            except RulesError as error:
                self._refused(error, before, edit)
                raise
            self._install(built)
            return built

    def candidate(self, contents: Mapping[Path, bytes] | None = None) -> Built[D]:
        """Rules built, proven and ready to run, as if the files said `contents`. Raises RulesError."""
        try:
            with locked(self.main.parent, fcntl.LOCK_SH):
                built = build(self.source, dataclasses.replace(self.ground, now=self.clock()), contents or {})
            self.ready(built)
        except RulesError:
            raise
        except Exception as error:  # a recognizer of the user's that breaks, no folder, no memory
            sentence = f"building stopped with {type(error).__name__}"
            raise RulesError([Fault(self.source, 0, 0, "E026", sentence)]) from None
        return built

    def _install(self, built: Built[D]) -> None:
        if not self._loaded:
            self.live = Live(built.policy, built.detector, choose)
        else:
            self.live.swap(built.policy, built.detector)
            self.results[APPLIED] += 1
            log.info("rules of %s: %s are in force", self.source, built.policy.digest)
        self.built = built
        self.swapped = self.clock()
        self.due = built.policy.expires
        self.trouble = None
        self._seen = {file.path.absolute(): file.sha256 for file in built.files}
        self._keep(built)

    def _refused(self, error: RulesError, before: dict[Path, str | None], edit: Edit | None) -> None:
        if not self._loaded:
            return  # nothing is in force yet: whoever starts the proxy tells it
        self.results[REFUSED] += 1
        if edit is not None:
            return  # whoever wrote it is told, and the files are as they were
        self._seen |= before
        self.trouble = Trouble(self.trouble.since if self.trouble else self.clock(), error.faults)
        log.error("rules of %s: %d faults; those of before stay in force", self.source, len(error.faults))
        for fault in error.faults[:TOLD]:  # only where: what is wrong may quote the file
            log.error("rules of %s: a fault at %s:%d:%d", self.source, fault.source, fault.line, fault.column)

    def _keep(self, built: Built[D]) -> None:
        files = tuple(File(file.path.absolute(), file.sha256) for file in built.files)
        policy = built.policy
        try:
            self.versions.keep(Version(policy.digest, policy.name, self.routes, self.swapped, files))
        except VersionError:
            log.info("rules of %s: the files have changed again already", self.source)
        except OSError as error:
            why = error.strerror or type(error).__name__
            log.warning("rules of %s: this version cannot be kept: %s", self.source, why)

    # -- looking after them -------------------------------------------------------------------------------

    def follow(self, *, forced: bool = False) -> None:
        """Try the files again if they have changed or if it is time, or because somebody asks."""
        due = self.due is not None and self.clock() >= self.due
        if due:
            self.due = None  # one attempt
        if forced or due or any(digest_of(path) != seen for path, seen in self._seen.items()):
            try:
                self.try_swap()
            except RulesError:
                return  # told where it was found

    def rollback(self, digest: str) -> Edit:
        """What puts the version back whose digest begins so: swap it in. Raises VersionError.

        Rules that come with Hushwire are as they are now.
        """
        contents = self.versions.contents(self.versions.find(digest, self.main))
        ours = {path: content for path, content in contents.items() if path.parent != SHIPPED}
        return Edit(ours, digest_of(self.main))

    def state(self) -> RulesState:
        """What metrics tell about them."""
        policy = self.live.policy
        return {
            "in_force": {f"{policy.digest} {policy.name}": 1},
            "reloads": dict(self.results),
            "stale": int(self.trouble is not None),
            "swapped": self.swapped,
        }
