"""A disk that remembers what was asked of it, and shows what a loss of power at any instant would have left."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from postroad.ledger.disk import Disk


class FullDisk(Disk):
    """Has no room from the n-th call on that would take some."""

    def __init__(self, n_calls: int) -> None:
        self.left = n_calls

    def _take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(28, "No space left on device")

    def reserve(self, handle, size):
        self._take()
        super().reserve(handle, size)

    def write(self, handle, parts, place):
        self._take()
        super().write(handle, parts, place)

    def sync(self, handle):
        self._take()
        super().sync(handle)

    def rename(self, old, new):
        self._take()
        super().rename(old, new)

    def sync_folder(self, folder):
        self._take()
        super().sync_folder(folder)


@dataclass
class _File:
    """One file: what a loss of power would leave, and what was asked for since, in order."""

    kept: bytearray = field(default_factory=bytearray)
    asked: list[tuple] = field(default_factory=list)

    def settled(self, asked: list[tuple]) -> bytearray:
        """The content when these requests have reached the disk."""
        content = bytearray(self.kept)
        for name, *rest in asked:
            if name == "write":
                place, data = rest
                content.extend(bytes(max(0, place + len(data) - len(content))))
                content[place : place + len(data)] = data
            elif name == "reserve":
                content.extend(bytes(max(0, rest[0] - len(content))))
            else:
                del content[rest[0] :]
                content.extend(bytes(max(0, rest[0] - len(content))))
        return content


class RecordingDisk(Disk):
    """Works as a disk does, and writes down every call; :meth:`note` adds a mark between the calls."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.calls: list[tuple] = []
        self._paths: dict[int, str] = {}

    def note(self, mark: object) -> None:
        """Write down that something happened that is no call."""
        self.calls.append(("note", mark))

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def open(self, path):
        is_new = not path.exists()
        handle = super().open(path)
        self._paths[handle] = self._name(path)
        self.calls.append(("open", self._name(path), is_new))
        return handle

    def reserve(self, handle, size):
        super().reserve(handle, size)
        self.calls.append(("reserve", self._paths[handle], size))

    def write(self, handle, parts, place):
        super().write(handle, parts, place)
        for part in parts:
            self.calls.append(("write", self._paths[handle], place, bytes(part)))
            place += len(part)

    def sync(self, handle):
        super().sync(handle)
        self.calls.append(("sync", self._paths[handle]))

    def cut(self, handle, size):
        super().cut(handle, size)
        self.calls.append(("cut", self._paths[handle], size))

    def rename(self, old, new):
        super().rename(old, new)
        self.calls.append(("rename", self._name(old), self._name(new)))

    def remove(self, path):
        super().remove(path)
        self.calls.append(("remove", self._name(path)))

    def sync_folder(self, folder):
        super().sync_folder(folder)
        self.calls.append(("sync_folder", self._name(folder)))


def after_power_loss(calls: list[tuple], target: Path, chance: random.Random | None = None) -> None:
    """Put into a folder what the disk would hold if the power had failed after these calls.

    Without ``chance``, all that was not synced is gone: contents, names, removals. With it, any of it may have reached
    the disk, each request on its own, and of the last write perhaps a part.
    """
    names: dict[str, _File] = {}
    kept: dict[str, _File] = {}
    for name, *rest in calls:
        if name == "open":
            if rest[1]:
                names[rest[0]] = _File()
        elif name in ("reserve", "write", "cut"):
            names[rest[0]].asked.append((name, *rest[1:]))
        elif name == "sync":
            file = names[rest[0]]
            file.kept, file.asked = file.settled(file.asked), []
        elif name == "rename":
            names[rest[1]] = names.pop(rest[0])
        elif name == "remove":
            names.pop(rest[0], None)
        elif name == "sync_folder":
            kept = _settle_names(kept, names, rest[0])
    if chance is not None:
        for path in sorted({*kept, *names}):
            if chance.random() < 0.5:
                kept = {other: file for other, file in kept.items() if other != path}
                kept |= {path: names[path]} if path in names else {}
    for folder in {path.rpartition("/")[0] for path in names} | {call[1] for call in calls if call[0] == "sync_folder"}:
        (target / folder).mkdir(parents=True, exist_ok=True)
    for path, file in kept.items():
        asked = [] if chance is None else [_tear(one, chance) for one in file.asked if chance.random() < 0.6]
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.settled(asked))


def _settle_names(kept: dict, names: dict, folder: str) -> dict:
    """The names on the disk once a folder was synced."""

    def is_in(path: str) -> bool:
        return (path.rpartition("/")[0] or ".") == folder

    return {path: file for path, file in kept.items() if not is_in(path)} | {
        path: file for path, file in names.items() if is_in(path)
    }


def _tear(request: tuple, chance: random.Random) -> tuple:
    """A request of which perhaps only the beginning reached the disk."""
    if request[0] == "write" and chance.random() < 0.3:
        name, place, data = request
        return name, place, data[: chance.randrange(len(data) + 1)]
    return request
