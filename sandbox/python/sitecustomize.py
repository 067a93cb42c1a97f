"""What Python in the sandbox's server does at its start, in each session that uses PL/Python.

stumpy compiles its functions whenever it is imported, which takes longer than all else that tsfresh
imports together; tsfresh imports it for one feature. Here it is loaded when it is first used.
"""

import importlib.util
import sys

LATE = {"stumpy"}


class LateFinder:
    """Puts off the loading of the modules named in LATE until an attribute of them is asked for."""

    def find_spec(self, name, path=None, target=None):
        if name not in LATE:
            return None
        LATE.remove(name)  # so that the finders below this one are asked
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


sys.meta_path.insert(0, LateFinder())
