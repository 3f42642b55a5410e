"""A save that is struck at its n-th call to the operating system."""

import os
import pathlib


class CrashPoints:
    """Inside, calls that write files are counted, and at call `strike` something happens in their place.

    The calls are open, chmod, write, flush, fsync, replace, and opening and fsync of the folder.  A struck
    write has written half of its bytes, or, with `late=True`, all; the other calls have not begun, or are
    done.
    """

    def __init__(self, strike=None, action=None, late=False):
        self.strike, self.action, self.late = strike, action, late
        self.calls = []

    def __enter__(self):
        self.real = (pathlib.Path.open, os.chmod, os.open, os.fsync, os.replace)
        real_open, os_chmod, os_open, os_fsync, os_replace = self.real
        pathlib.Path.open = lambda path, mode: _File(self, self.call("open", real_open, path, mode))
        os.chmod = lambda path, mode, **_: self.call("chmod", os_chmod, path, mode)
        os.open = lambda path, flags: self.call("open folder", os_open, path, flags)
        os.fsync = lambda descriptor: self.call("fsync", os_fsync, descriptor)
        os.replace = lambda source, target: self.call("replace", os_replace, source, target)
        return self

    def __exit__(self, *exception):
        pathlib.Path.open, os.chmod, os.open, os.fsync, os.replace = self.real

    def call(self, name, real, *arguments):
        self.calls.append(name)
        struck = len(self.calls) - 1 == self.strike
        if struck and not self.late:
            self.action()
        result = real(*arguments)
        if struck and self.late:
            self.action()
        return result


class _File:
    """A file whose writes and flushes are counted."""

    def __init__(self, points, file):
        self.points, self.file = points, file

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()

    def fileno(self):
        return self.file.fileno()

    def flush(self):
        self.points.call("flush", self.file.flush)

    def write(self, data):
        self.file.write(data[: len(data) // 2])
        self.points.call("write", self.file.write, data[len(data) // 2 :])
