"""bench/lint.py: a short run with all it measures."""

import json
import subprocess
import sys
import unittest

from support import DAG, ROOT


class Bench(unittest.TestCase):
    def test_lint_and_list_are_measured_beside_their_floors(self):
        done = subprocess.run(
            [sys.executable, ROOT / "bench" / "lint.py", "--dag", DAG, "--rounds", "1", "--files",
             "3", "--unchanged", "4", "--json"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        figures = json.loads(done.stdout)["figures"]
        aims = [row["aim"] for row in figures if "aim" in row]
        self.assertEqual([aim.split()[0] for aim in aims], ["lint", "lint", "list"])
        self.assertEqual(len(figures), 9)
