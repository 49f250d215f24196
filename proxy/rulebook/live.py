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
from typing import Generic, NamedTuple

from proxy.codecs import choose
from proxy.core.live import Live
from proxy.core.plugs import Mark
from proxy.core.tally import RulesState
from proxy.rulebook.changes import changes
from proxy.rulebook.disk import digest_of, locked, replace
from proxy.rulebook.effective import effective
from proxy.rulebook.faults import Fault, RulesError
from proxy.rulebook.files import NOTHING, File, Files
from proxy.rulebook.ground import D, Ground
from proxy.rulebook.load import SHIPPED, Built, build_of, find
from proxy.rulebook.versions import Version, VersionError, Versions

log = logging.getLogger("hushwire")

TOLD = 20  # faults whose places are logged
RETRY = 60.0  # seconds until an exception is ended once more that could not be
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


class Swap(NamedTuple):
    """Rules that went live on `routes`; `how` says by what: `files`, `edit`, or `before` (they had been in force).
    Or those that were refused, for faults with these `codes`."""

    routes: tuple[str, ...]
    name: str
    digest: str
    how: str
    codes: tuple[str, ...] = ()


class Rules(Generic[D]):
    """The rules of one file, and of all `routes` that name it. `source` is their name or path.

    They are built on `ground`. `ready` makes built ones ready to run: whatever a first message would have to wait
    for. `versions` keeps what was in force. `mark` makes fingerprints of values for the audit.
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
        mark: Mark | None = None,
    ) -> None:
        self.routes = tuple(routes)
        self.source = source
        self.main = find(source).absolute()
        self.ground = ground
        self.ready = ready
        self.versions = versions
        self.clock = clock
        self.mark = mark
        self.trouble: Trouble | None = None
        self.swapped = 0.0  # when these rules went live, Unix time
        self.due: float | None = None  # when an exception ends, so that they must be made anew
        self.results: Counter[str] = Counter()
        self.told: Callable[[Swap], object] = lambda _: None  # of attempts behind the first, where made
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
        files = Files(NOTHING if edit is None else edit.contents)
        with self._turn:
            try:
                built = self._candidate(files)
                if edit is not None:
                    replace(edit.contents, self.main, edit.expected)
            except RulesError as error:
                self._refused(error, None if edit else files)
                raise
            self.trouble, self._seen = (
                None,
                dict(files.asked),
            )  # first: nobody sees these rules and still the trouble
            self._install(built, "edit" if edit else "files")
            return built

    def candidate(self, contents: Mapping[Path, bytes]) -> Built[D]:
        """Rules built, proven and ready to run, as if the files said `contents`. Raises RulesError."""
        return self._candidate(Files(contents))

    def _candidate(self, files: Files) -> Built[D]:
        try:
            with locked(self.main.parent, fcntl.LOCK_SH):
                built = build_of(self.source, dataclasses.replace(self.ground, now=self.clock()), files)
            self.ready(built)
        except RulesError:
            raise
        except Exception as error:  # a recognizer of the user's that breaks, no folder, no memory
            sentence = f"building stopped with {type(error).__name__}"
            raise RulesError([Fault(self.source, 0, 0, "E026", sentence)]) from None
        return built

    def _install(self, built: Built[D], how: str) -> None:
        if not self._loaded:
            self.live = Live(built.policy, built.detector, choose, self.mark)
        else:
            self.live.swap(built.policy, built.detector)
            self.results[APPLIED] += 1
            log.info("rules of %s: %s are in force", self.source, built.policy.digest)
            self.told(Swap(self.routes, built.policy.name, built.policy.digest, how))
        self.built = built
        self.swapped = self.clock()
        self.due = built.policy.expires
        self._keep(built)

    def _refused(self, error: RulesError, files: Files | None) -> None:
        if not self._loaded:
            return  # nothing is in force yet: whoever starts the proxy tells it
        self.results[REFUSED] += 1
        codes = tuple(sorted({fault.code for fault in error.faults}))
        self.told(Swap(self.routes, "", "", "", codes))
        if files is None:
            return  # whoever wrote the edit is told, and the files are as they were
        self._seen = {self.main: None, **files.asked}
        self.trouble = Trouble(self.trouble.since if self.trouble else self.clock(), error.faults)
        log.error("rules of %s: %d faults; those of before stay in force", self.source, len(error.faults))
        for fault in error.faults[:TOLD]:  # only where: what is wrong may quote the file
            log.error("rules of %s: a fault at %s:%d:%d", self.source, fault.source, fault.line, fault.column)

    def _keep(self, built: Built[D]) -> None:
        files = tuple(File(file.path.absolute(), file.sha256) for file in built.files)
        policy = built.policy
        try:
            version = Version(policy.digest, policy.name, self.routes, self.swapped, files)
            self.versions.keep(version, built.contents)
        except OSError as error:
            why = error.strerror or type(error).__name__
            log.warning("rules of %s: this version cannot be kept: %s", self.source, why)

    # -- looking after them -------------------------------------------------------------------------------

    def follow(self, *, forced: bool = False) -> None:
        """Try the files again if they have changed or if it is time, or because somebody asks."""
        due = self.due is not None and self.clock() >= self.due
        if forced or due or any(digest_of(path) != seen for path, seen in self._seen.items()):
            try:
                self.try_swap()
            except RulesError:  # told where it was found
                if due:
                    self._again(self.built.contents)

    def catch_up(self) -> None:
        """For who takes the place of a fallen worker, and starts with the rules of long ago: follow the files, or
        if they cannot go live, what was in force before they said so."""
        self.follow()
        newest = next(iter(self.versions.all(self.main)), None) if self.trouble else None
        if newest is not None and newest.digest != self.live.policy.digest:
            try:
                self._again(self.versions.contents(newest))
            except VersionError:
                log.warning("rules of %s: the version that was in force last cannot be read", self.source)

    def _again(self, contents: Mapping[Path, bytes]) -> None:
        """Put rules in force that were before, while the files say what cannot go live: an exception of theirs has
        ended, for example, and it ends whatever the files say."""
        with self._turn:
            self.due = self.clock() + RETRY
            try:
                self._install(self._candidate(Files(contents)), "before")
            except RulesError as error:
                log.error("rules of %s: %d faults; those of before stay in force", self.source, len(error.faults))

    def changes(self, contents: Mapping[Path, bytes]) -> dict[str, list[str]]:
        """What would change if the files said `contents`. Raises RulesError."""
        return changes(self.source, self.built.contents, contents)

    def effective(self) -> str:
        """All rules in force, as one file. Raises RulesError."""
        return effective(self.source, self.built.contents, shadow=self.ground.shadow)

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
