"""How well the pipelines tell walks from rides on a generated release, and that they cannot when
there is nothing to learn."""

import tempfile
import unittest
from datetime import date, timedelta

import support

FIRST, TRAINED, LAST = date(2007, 4, 25), date(2007, 5, 1), date(2007, 5, 2)


def predictions(*options):
    """Runs every day and the training; returns (is a walk, is said to be one) a trajectory."""
    database = support.Database("dag_quality")
    try:
        with tempfile.TemporaryDirectory() as folder:
            truth = support.generate_release(
                folder, "--from", str(FIRST), "--to", str(LAST), *options)
            database.load_release(folder)
        day = FIRST
        while day <= LAST:
            if day == TRAINED:
                database.train(str(day))
                # Whether it is good enough is what the test asks.
                database.execute("update models.registry set in_service = true")
            database.run_day(str(day))
            day += timedelta(days=1)
        return judged(database, truth)
    finally:
        database.drop()


def judged(database, truth):
    points = database.rows(
        "select r.id, r.estimated_label, min(p.uid),"
        " min(p.ttimestamp)::text, max(p.ttimestamp)::text"
        " from geolife.walk_prediction_results r"
        " join geolife.geolife_trajectory_label_clean p"
        " on p.tdate = r.tdate and p.trajectory_id = r.id group by 1, 2")
    trips = {}
    for user, start, end, mode in truth:
        trips.setdefault(user, []).append((start, end, mode))
    found = []
    for _, estimated, user, start, end in points:
        first, last = start.replace("T", " "), end.replace("T", " ")
        modes = [mode for begin, finish, mode in trips[user] if begin <= first and last <= finish]
        if modes:   # all its points are of one trip
            found.append((modes[0] == "walk", estimated))
    return found


def balanced_accuracy(found):
    rates = []
    for observed in (True, False):
        estimates = [estimated for is_walk, estimated in found if is_walk == observed]
        rates.append(sum(estimated == observed for estimated in estimates) / len(estimates))
    return sum(rates) / 2


class Quality(unittest.TestCase):
    def test_walks_are_told_from_rides(self):
        found = predictions()
        self.assertGreater(len(found), 300)
        self.assertGreaterEqual(balanced_accuracy(found), 0.80)

    def test_shuffled_labels_teach_nothing(self):
        found = predictions("--shuffle-labels")
        self.assertGreater(len(found), 300)
        self.assertLessEqual(balanced_accuracy(found), 0.60)


if __name__ == "__main__":
    unittest.main()
