"""The files of the repository, and what a check says about one of them."""

import os
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(os.environ.get("DAG_SOURCE_DIR", Path(__file__).resolve().parents[2]))
SKIPPED_FOLDERS = {".git", ".dag", "build", "__pycache__", ".pytest_cache"}


@dataclass(frozen=True)
class Problem:
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


def _git_paths():
    """What git tracks or would track; None where this is no work tree of git."""
    command = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z", "--cached",
               "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [name for name in answer.stdout.decode().split("\0") if name]


def _walked_paths():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        for name in names:
            yield str(Path(folder, name).relative_to(ROOT))


@lru_cache(maxsize=None)
def paths():
    """Every file, as a path from the root, sorted."""
    found = _git_paths()
    names = _walked_paths() if found is None else found
    return tuple(sorted(name for name in set(names) if (ROOT / name).is_file()))


def paths_ending(*suffixes):
    return [path for path in paths() if path.endswith(suffixes)]


@lru_cache(maxsize=None)
def read(path):
    """The text of a file; None when it is not UTF-8 (a picture)."""
    try:
        return (ROOT / path).read_bytes().decode()
    except UnicodeDecodeError:
        return None
