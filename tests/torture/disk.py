"""A small file system for the metadata, which a test can fill: a tmpfs in a mount namespace of its
own, so that it needs no root. What runs on it is started through the process that holds the
namespace."""

import os
import subprocess
from pathlib import Path

WAYS = (["unshare", "--user", "--map-root-user", "--mount"], ["unshare", "--mount"])


class Disk:
    """Mounted at `folder`, an absolute path, for those that are started with enter()."""

    def __init__(self, folder, size_mb):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        said = []
        for way in WAYS:
            self.spaces = ["--user"] if "--user" in way else []
            self.holder = subprocess.Popen(
                [*way, "sh", "-c", f"mount -t tmpfs -o size={size_mb}m,mode=700 none"
                 f" '{self.folder}' && echo mounted && exec cat"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if self.holder.stdout.readline() == "mounted\n":
                return
            said.append(self.holder.communicate()[1])
        raise AssertionError(f"a file system of the test's own cannot be made: {said}")

    def enter(self):
        """The words before a command that make it see the file system."""
        keep = ["--preserve-credentials"] if self.spaces else []
        return ["nsenter", "--target", str(self.holder.pid), *self.spaces, "--mount", *keep, "--"]

    def path(self):
        """The folder as seen from outside."""
        return Path(f"/proc/{self.holder.pid}/root{self.folder}")

    def fill(self, left_bytes):
        """Leaves so many bytes free."""
        with open(self.path() / "filler", "wb") as filler:
            free = os.statvfs(self.path()).f_bavail * os.statvfs(self.path()).f_frsize
            try:
                os.posix_fallocate(filler.fileno(), 0, max(free - left_bytes, 1))
            except OSError:
                pass  # somebody else took the last bytes: full is what it shall be

    def clear(self):
        (self.path() / "filler").unlink(missing_ok=True)

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(60)
        self.holder.stdout.close()
        self.holder.stderr.close()
