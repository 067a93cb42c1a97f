"""What the training of dags/credit_card is made of; test_credit_card.py runs this file with the
sandbox's Python."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

import numpy
from sklearn import metrics

FOLDER = Path(__file__).resolve().parents[2] / "dags" / "credit_card"
sys.path.insert(0, str(FOLDER))
import network  # noqa: E402
import pictures  # noqa: E402
import publish  # noqa: E402
import quality  # noqa: E402


class Rows(unittest.TestCase):
    def setUp(self):
        rng = numpy.random.default_rng(7)
        self.y = (rng.random(1000) < 0.03).astype(int)
        self.x = rng.normal(size=(1000, 4)).astype(numpy.float32)
        self.x[self.y == 1] += 5

    def test_folds_share_rows_and_frauds(self):
        parts = network.parts(self.y, 4, 1)
        self.assertEqual(sorted(numpy.concatenate(parts)), list(range(1000)))
        frauds = [int(self.y[part].sum()) for part in parts]
        self.assertLessEqual(max(frauds) - min(frauds), 1)
        self.assertTrue((network.parts(self.y, 4, 1)[2] == parts[2]).all())

    def test_untouched_rows_have_their_share_of_frauds(self):
        kept, rest = network.hold_out(self.y, 300, 1)
        self.assertEqual(sorted([*kept, *rest]), list(range(1000)))
        self.assertEqual(len(kept), 300)
        self.assertEqual(self.y[kept].sum(), round(300 * self.y.mean()))

    def test_smote_makes_as_many_frauds_as_others_between_frauds(self):
        x, y = network.oversample(self.x, self.y, 1)
        self.assertEqual((y == 1).sum(), (y == 0).sum())
        self.assertTrue((x[:1000] == self.x).all())
        frauds, made = self.x[self.y == 1], x[1000:]
        self.assertTrue((made >= frauds.min(axis=0)).all() and (made <= frauds.max(axis=0)).all())
        # Each lies on a line between a fraud and one of its nearest: never farther than the sixth.
        distances = numpy.sort(numpy.linalg.norm(frauds[:, None] - frauds, axis=2), axis=1)
        for point in made[:50]:
            away = numpy.linalg.norm(frauds - point, axis=1)
            self.assertTrue((away <= distances[:, 5]).any())

    def test_nearest_points_are_those_of_brute_force(self):
        points = self.x[:200]
        found = network.nearest(points, 5)
        for number, row in enumerate(found):
            away = numpy.linalg.norm(points - points[number], axis=1)
            self.assertEqual(set(row), set(numpy.argsort(away)[1:6]))


class Quality(unittest.TestCase):
    def setUp(self):
        rng = numpy.random.default_rng(8)
        self.y = (rng.random(500) < 0.2).astype(int)
        self.p = numpy.round(rng.random(500) * 0.6 + self.y * 0.3, 2)  # with ties

    def test_areas_are_those_of_scikit_learn(self):
        self.assertAlmostEqual(quality.area_under_roc(self.y, self.p),
                               metrics.roc_auc_score(self.y, self.p))
        self.assertAlmostEqual(quality.average_precision(self.y, self.p),
                               metrics.average_precision_score(self.y, self.p))

    def test_the_threshold_has_the_highest_f_beta(self):
        threshold = quality.best_threshold(self.y, self.p, 1.5)

        def score(at):
            return metrics.fbeta_score(self.y, self.p >= at, beta=1.5)

        self.assertAlmostEqual(score(threshold), max(score(each) for each in set(self.p)))
        found = quality.at(self.y, self.p, threshold)
        self.assertAlmostEqual(found["recall"],
                               metrics.recall_score(self.y, self.p >= threshold))
        self.assertAlmostEqual(found["precision"],
                               metrics.precision_score(self.y, self.p >= threshold))

    def test_one_class_has_no_area(self):
        self.assertIsNone(quality.area_under_roc(numpy.zeros(3, int), numpy.ones(3)))
        self.assertIsNone(quality.average_precision(numpy.zeros(3, int), numpy.ones(3)))


class Network(unittest.TestCase):
    def test_it_is_the_one_of_the_article(self):
        built = network.Network(28)
        self.assertEqual(built.model.count_params(), 50689)
        self.assertEqual([weights.shape for weights in built.model.get_weights()[::2]],
                         [(28, 256), (256, 128), (128, 64), (64, 32), (32, 1)])
        built.begin(3)
        first = built.model.get_weights()
        built.begin(4)
        self.assertFalse((built.model.get_weights()[0] == first[0]).all())
        built.begin(3)
        for before, after in zip(first, built.model.get_weights()):
            self.assertTrue((before == after).all())


class Pictures(unittest.TestCase):
    def test_a_chart_is_svg_with_its_lines(self):
        text = pictures.line_chart("Loss & more", ("epoch", "loss"),
                                   [("a", [(1, 0.5), (2, 0.25)]), ("b", [(1, 0), (2, 1)])],
                                   (1, 2, 0, 1))
        root = ElementTree.fromstring(text)
        lines = [each for each in root if each.tag.endswith("polyline")]
        self.assertEqual(len(lines), 2)
        self.assertEqual(len(lines[0].get("points").split()), 2)
        self.assertIn("Loss & more", [each.text for each in root])


class Publishing(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def publish(self, text):
        return publish.publish(self.folder, "2013-10-01",
                               lambda folder: (folder / "file").write_text(text))

    def test_files_are_readable_by_all_and_an_earlier_version_stays(self):
        first, second = self.publish("a"), self.publish("b")
        self.assertNotEqual(first, second)
        self.assertEqual((first / "file").read_text(), "a")
        self.assertEqual(second.stat().st_mode & 0o777, 0o755)
        self.assertEqual((second / "file").stat().st_mode & 0o777, 0o644)
        self.assertEqual(self.publish("a"), first)
        self.assertEqual(sorted(self.folder.iterdir()), sorted([first, second]))

    def test_a_killed_training_publishes_nothing_and_the_next_one_clears_up(self):
        code = ("import os, sys, publish; publish.publish(sys.argv[1], '2013-10-01', lambda folder:"
                " ((folder / 'file').write_text('half'), os.kill(os.getpid(), 9)))")
        done = subprocess.run([sys.executable, "-c", code, self.folder], cwd=FOLDER, check=False)
        self.assertEqual(done.returncode, -9)
        left = [path.name for path in self.folder.iterdir()]
        self.assertEqual(left, [".partial-2013-10-01"])
        whole = self.publish("whole")
        self.assertEqual(list(self.folder.iterdir()), [whole])


if __name__ == "__main__":
    unittest.main()
