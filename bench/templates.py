#!/usr/bin/python3
"""Figures: renderings per second of the shipped pivot and speed templates and of one of 60 lines,
beside Jinja2 in the same run.

    bench/templates.py [--build build/release] [--rounds 7] [--seconds 0.5] [--json]

Both sides render the same templates with the same contexts, turn by turn; a ratio is that of two
neighbouring turns. "cached": what is parsed is kept, contexts are plain values made beforehand.
"parsed": every rendering reads and parses its files anew. That the texts are equal is checked
first.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "templates"))
import engines  # noqa: E402 (tests/templates makes the environment with the pinned Jinja2)

FOLDERS = [str(ROOT / "templates"), str(ROOT / "bench" / "templates")]
DAY = {"ds": "2007-04-12", "ds_nodash": "20070412", "target": {"dialect": "postgresql"}}
USER_DAY = {
    **DAY,
    "dag": {"dag_id": "user_day"},
    "run_id": "scheduled__2007-04-12T00:00:00+00:00",
    "params": {
        "source": "geolife.geolife_trajectory", "schema": "geolife",
        "hours": {"first": 4, "last": 22}, "excluded": [10, 62, 84], "metres_per_unit": 1609.344,
        "longest_gap": "2 minutes", "points_min": 3, "rows_max": 1000, "tolerance": 1.25,
        "readers": ["analyst", "report"], "owner": "the traffic team",
        "comment": " Distances by users' mode of travel. ",
        "modes": [{"name": "walk", "column": "walk", "limit": 8},
                  {"name": "bike", "column": "bike", "limit": 30},
                  {"name": "public bus", "column": "bus", "limit": None},
                  {"name": "car", "column": "car", "limit": 120}],
    },
}
CASES = {
    "pivot": ("geolife/pivot_tsfresh_features.sql", DAY),
    "speed": ("geolife/calculate_trajectory_speed.sql", DAY),
    "60 lines": ("user_day.sql", USER_DAY),
}
MODES = ("cached", "parsed")


class Side:
    """One of the two programs; both speak the protocol of templates.c."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            [*command, *FOLDERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, case, mode, seconds=0.0):
        template, context = CASES[case]
        self.process.stdin.write(json.dumps({
            "template": template, "context": context, "mode": mode, "seconds": seconds}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer or answer == "{}\n":
            sys.exit(f"{self.process.args[0]} failed on {template}")
        return json.loads(answer)

    def rate(self, case, mode, seconds):
        answer = self.ask(case, mode, seconds)
        return answer["renders"] / answer["seconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def check_equal(ours, real):
    for case in CASES:
        texts = [side.ask(case, "text")["out"] for side in (ours, real)]
        if texts[0] != texts[1]:
            sys.exit(f"{case}: the texts differ\n--- dag\n{texts[0]}\n--- jinja2\n{texts[1]}")


def measure(ours, real, options):
    figures = {case: {mode: {"ours": [], "jinja2": [], "ratio": []} for mode in MODES}
               for case in CASES}
    for turn in range(options.rounds):
        for case in CASES:
            for mode in MODES:
                sides = [("ours", ours), ("jinja2", real)]
                rates = {name: side.rate(case, mode, options.seconds)
                         for name, side in (sides if turn % 2 else reversed(sides))}
                figure = figures[case][mode]
                figure["ours"].append(rates["ours"])
                figure["jinja2"].append(rates["jinja2"])
                figure["ratio"].append(rates["ours"] / rates["jinja2"])
    return figures


def report(figures, version):
    print(f"{'template':10}{'mode':8}{'dag/s':>10}{'jinja2/s':>10}{'ratio':>8}{'min':>7}{'max':>7}"
          f"   (medians; Jinja2 {version})")
    for case, modes in figures.items():
        for mode, figure in modes.items():
            ratio = figure["ratio"]
            print(f"{case:10}{mode:8}{statistics.median(figure['ours']):10,.0f}"
                  f"{statistics.median(figure['jinja2']):10,.0f}{statistics.median(ratio):8.1f}"
                  f"{min(ratio):7.1f}{max(ratio):7.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one turn")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    python = engines.pinned_python()
    if not python:
        sys.exit("there is no Jinja2 to compare with")
    program = [python, Path(__file__).with_name("templates_jinja.py")]
    version = subprocess.run([*program, "--version"], check=True, capture_output=True,
                             text=True).stdout.strip()
    ours, real = Side([Path(options.build) / "bench_templates"]), Side(program)
    try:
        check_equal(ours, real)
        figures = measure(ours, real, options)
    finally:
        ours.close()
        real.close()
    if options.json:
        print(json.dumps({"jinja2": version, "figures": figures}))
    else:
        report(figures, version)


if __name__ == "__main__":
    main()
