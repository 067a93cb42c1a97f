"""300 tasks a round on a real PostgreSQL, and faults while they run: at the end every effect is
there exactly once, every state is right, and nothing is left running.

The seed decides the project's pauses and the order of the faults; DAG_SEED sets it again. When they
strike also depends on the machine: the log of faults, printed on failure, tells.
"""

import collections
import os
import random
import time
import unittest

import census
import project
from faults import FAULTS, OF_PROCESSES
from world import World

LONG = os.environ.get("DAG_LONG") == "1"
WANTED = int(os.environ.get("DAG_FAULTS") or (2000 if LONG else 40))
SEED = int(os.environ.get("DAG_SEED") or time.time())
AT_ONCE_S = 900  # for the tasks to end once the faults have
TURNS = 30  # of clearing what failed
BAD = ("failed", "upstream_failed", "skipped")
FEW = 40  # unfinished tasks: time for the next round


class Torture(unittest.TestCase):
    def setUp(self):
        print(f"seed {SEED}, {WANTED} faults")
        self.world = World(SEED, WANTED)
        self.addCleanup(self.world.close)
        self.hits = collections.Counter()

    def test_every_effect_is_there_once(self):
        try:
            self.torture()
            wrong = self.settle() + census.take(self.world)
            self.world.proxy.release_stuck()
            self.world.must("down")
            self.world.daemon.wait(60)
            wrong += census.sessions(self.world) + census.sanitizers(self.world)
        except Exception as failure:
            self.fail(f"seed {SEED}: {failure!r}\n{census.report(self.world, [])}")
        if wrong:
            self.fail(f"seed {SEED}\n{census.report(self.world, wrong)}")
        self.assertGreaterEqual(sum(self.hits.values()), WANTED)
        self.assertEqual({name for name, _ in FAULTS} - set(self.hits), set(), "never hit")
        print(f"{sum(self.hits.values())} faults in {self.world.rounds} rounds of"
              f" {project.TASKS} tasks, {time.monotonic() - self.world.began:.0f} s, seed {SEED}:"
              f" {dict(sorted(self.hits.items()))}")

    def torture(self):
        """Each kind once in an order of the seed's, then any of them."""
        chance = random.Random(SEED)
        world, left = self.world, []
        world.up()
        while sum(self.hits.values()) < WANTED or len(self.hits) < len(FAULTS):
            left = left or chance.sample(FAULTS, len(FAULTS))
            name, fault = left.pop()
            if world.unfinished() < FEW or name in OF_PROCESSES and not world.unfinished("process"):
                world.start_round()
            time.sleep(chance.uniform(0, 1))
            world.note(name)
            hit = fault(world, chance)
            world.note(f"{name}: {hit or 'nothing there to hit'}")
            if hit:
                self.hits[name] += 1
            elif not self.hits[name]:
                left.insert(0, (name, fault))
                del self.hits[name]

    def settle(self):
        """All runs end; what failed may have, and is run again until it succeeds."""
        world, wrong, marked = self.world, [], set(self.world.marked)
        world.note("no more faults")
        for _ in range(TURNS):
            bad = marked | world.wait_for(self.failed_or_over, "all tasks have ended", AT_ONCE_S)
            wrong += [f"{' '.join(key)}: failed by itself" for key in sorted(bad)
                      if not self.may_fail(key)]
            if not bad:
                return wrong
            marked = set()
            world.note(f"{len(bad)} tasks are cleared")
            for run in sorted({key[:2] for key in bad}):
                world.touched.add(run)
                world.must("clear", *run, *sorted(key[2] for key in bad if key[:2] == run))
        return [*wrong, f"tasks fail still after {TURNS} clears"]

    def failed_or_over(self):
        """Those that ended otherwise than well; None while there are none but some go on."""
        bad = {row[:3] for row in census.instances(self.world) if row[4] in BAD}
        return bad if bad or not self.world.unfinished() else None

    def may_fail(self, key):
        """Somebody asked for it, or it is without a transaction and nobody knows what it did."""
        dag_id, day, _task_id = key
        return dag_id == "plain" or (dag_id, day) in self.world.touched


if __name__ == "__main__":
    unittest.main()
