#!/usr/bin/python3
"""The commit path alone: the store thread's commits per second beside bare SQLite's.

    bench/commit.py [--program build/release/bench_commit] [--rounds 5] [--assert]

bench/commit.c says what is measured.
"""

from harness import COUNT, ROOT, Report, options, output, workplace


def main():
    chosen = options(__doc__, aim=0.5, program=str(ROOT / "build" / "release" / "bench_commit"))
    with workplace() as (folder, _):
        lines = output([chosen.program, str(folder), str(chosen.rounds)]).splitlines()
    turns = [tuple(map(float, line.split())) for line in lines]
    report = Report(chosen)
    ratio = report.turns("commits of the store thread, one at a time", [ours for _, ours in turns],
                         [floor for floor, _ in turns], COUNT)
    report.aim(f"at least {chosen.aim:g}", ratio >= chosen.aim)
    report.end()


if __name__ == "__main__":
    main()
