"""The Geolife pipelines on a real server, with made-up trajectories whose rows can be reckoned."""

import random
import tempfile
import unittest

import support

DAY = "2007-04-12"
NEXT = "2007-04-13"
DAY_TABLES = {
    "geolife_trajectory": "tdate",
    "geolife_trajectory_clean": "tdate",
    "geolife_label": "start_date",
    "geolife_label_clean": "start_date",
    "geolife_trajectory_label_clean": "tdate",
    "geolife_trajectory_label_speed": "tdate",
    "geolife_trajectory_speed_walk": "tdate",
    "ts_features_walk": "tdate",
    "ts_features_walk_pvt": "tdate",
    "tsfresh_model_features": "tdate",
    "tsfresh_predict_features": "tdate",
    "walk_prediction_results": "tdate",
}
MILES_A_DEGREE = 69.0  # of latitude, about


def clock(second):
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def trip(uid, day, start, mph, points, seed=0, step=5):
    """Points of somebody who goes north at about that speed; `start` in seconds after midnight."""
    chance = random.Random(f"{uid} {day} {start} {seed}")
    latitude = 39.9
    for number in range(points):
        yield uid, round(latitude, 7), 116.3, day, clock(start + number * step)
        latitude += mph * chance.uniform(0.7, 1.3) * step / 3600 / MILES_A_DEGREE


def label(uid, day, start, points, mode, step=5):
    return uid, day, clock(start), day, clock(start + (points - 1) * step), mode


class Server(unittest.TestCase):
    """Each class has a database of its own."""

    @classmethod
    def setUpClass(cls):
        cls.database = support.Database(f"dag_{cls.__name__.lower()}")
        cls.addClassCleanup(cls.database.drop)
        cls.load()

    @classmethod
    def load(cls):
        pass

    def count(self, table, day=DAY):
        column = DAY_TABLES[table]
        return self.database.value(
            f"select count(*) from geolife.{table} where {column} = date '{day}'")

    def columns(self, table):
        """The columns that hold features."""
        return [name for name, in self.database.rows(
            "select attname::text from pg_attribute"
            f" where attrelid = 'geolife.{table}'::regclass and attnum > 0"
            " and attname like 'value%' order by 1")]

    def rows_of(self, day):
        """Every day table's rows as one text each."""
        return {table: self.database.rows(f"select t::text from geolife.{table} t"
                                          f" where {column} = date '{day}' order by 1")
                for table, column in DAY_TABLES.items()}


class Trajectories(Server):
    @classmethod
    def load(cls):
        labelled = list(trip("a", DAY, 28800, 3, 30))
        rest = list(trip("a", DAY, 36000, 20, 45)) + list(trip("b", DAY, 36000, 20, 25))
        bad = [("a", 140, 116.3, DAY, clock(28801)), ("a", 39.9, -181, DAY, clock(28801)),
               ("\\N", 39.9, 116.3, DAY, clock(28801)), ("a", "\\N", 116.3, DAY, clock(28801))]
        twins = [labelled[3], labelled[3], ("a", 39.9, 116.4, DAY, clock(28800 + 4 * 5))]
        cls.database.load(
            labelled + rest + bad + twins + list(trip("a", NEXT, 28800, 3, 12)),
            [label("a", DAY, 28800, 30, "walk"),
             label("a", DAY, 28800 + 29 * 5, 30, "bus"),        # begins where the walk ends
             ("a", DAY, "23:30:00", NEXT, "00:10:00", "walk"),  # over midnight
             label("a", DAY, 28800, 30, "walk"),                # said twice
             label("b", DAY, 50000, 30, "walk")])               # without points
        cls.database.run_day(DAY, until="trajectory_speed_walk")

    def test_only_the_day_is_fetched(self):
        self.assertEqual(30 + 45 + 25 + 4 + 3, self.count("geolife_trajectory"))
        self.assertEqual(0, self.count("geolife_trajectory", NEXT))

    def test_points_off_the_globe_are_dropped(self):
        self.assertEqual(30 + 45 + 25 + 3, self.count("geolife_trajectory_clean"))
        place = self.database.rows(
            "select distinct st_srid(pt), tdate + ttime = ttimestamp, st_x(pt) = longitude,"
            " st_y(pt) = latitude from geolife.geolife_trajectory_clean")
        self.assertEqual([[4326, True, True, True]], place)

    def test_labels_start_and_end_on_the_day(self):
        labels = self.database.rows(
            "select uid, mode, start_ts::text, end_ts::text from geolife.geolife_label_clean"
            f" where start_date = date '{DAY}' order by uid, start_ts")
        self.assertEqual([["a", "walk", f"{DAY} 08:00:00", f"{DAY} 08:02:25"],
                          ["a", "bus", f"{DAY} 08:02:25", f"{DAY} 08:04:50"],
                          ["b", "walk", f"{DAY} 13:53:20", f"{DAY} 13:55:45"]], labels)

    def test_every_point_has_one_trajectory(self):
        found = self.database.rows(
            "select trajectory_id, mode, count(*), count(distinct uid)"
            f" from geolife.geolife_trajectory_label_clean where tdate = date '{DAY}'"
            " group by 1, 2 order by 1")
        self.assertEqual([[f"{DAY}_1", "walk", 33, 1],
                          [f"nl_a_{DAY}_1", None, 20, 1],
                          [f"nl_a_{DAY}_2", None, 20, 1],   # the last 5 of 45 are too few
                          [f"nl_b_{DAY}_1", None, 20, 1]], found)

    def test_points_of_the_same_time_have_no_speed(self):
        found = self.database.rows(
            "select count(*), count(distinct ttimestamp),"
            " bool_and(lead_ttimestamp > ttimestamp), max(lead_ttimestamp)::text"
            f" from geolife.geolife_trajectory_label_speed where trajectory_id = '{DAY}_1'")
        self.assertEqual([[29, 29, True, f"{DAY} 08:02:25"]], found)

    def test_distance_time_and_speed(self):
        self.database.load([("c", 39.9, 116.3, "2030-12-12", "10:00:00"),
                            ("c", 39.91, 116.3, "2030-12-12", "10:06:00")],
                           [("c", "2030-12-12", "10:00:00", "2030-12-12", "10:06:00", "bike")])
        self.database.run_day("2030-12-12", until="calculate_trajectory_speed")
        (miles, hours, speed), = self.database.rows(
            "select distance_miles, interval_hour, speed"
            " from geolife.geolife_trajectory_label_speed where tdate = date '2030-12-12'")
        self.assertAlmostEqual(0.68995, miles, 4)   # 1110.36 m on the WGS 84 spheroid
        self.assertEqual(0.1, hours)
        self.assertAlmostEqual(miles / hours, speed, 9)

    def test_speeds_that_cannot_be_are_removed(self):
        day = "2030-12-13"
        labels = [label("d", day, 0, 3, "walk"), label("d", day, 1000, 3, "train")]
        still = [("d", 39.9, 116.3, day, clock(second)) for second in (0, 1000)]
        walk = [("d", 39.9001, 116.3, day, clock(5)), ("d", 39.901, 116.3, day, clock(10))]
        train = [("d", 39.9025, 116.3, day, clock(1005)), ("d", 39.91, 116.3, day, clock(1010))]
        self.database.load(still + walk + train, labels)
        self.database.run_day(day, until="trajectory_speed_walk")
        found = self.database.rows(
            "select trajectory_id, mode, label, round(speed) as mph"
            f" from geolife.geolife_trajectory_speed_walk where tdate = date '{day}' order by 1")
        self.assertEqual([[f"{day}_1", "walk", True, 5], [f"{day}_2", "train", False, 124]], found)

    def test_a_label_is_null_where_nobody_said(self):
        found = self.database.rows(
            "select distinct mode, label from geolife.geolife_trajectory_speed_walk"
            f" where tdate = date '{DAY}' order by mode")
        self.assertEqual([["walk", True], [None, None]], found)


class Features(Server):
    @classmethod
    def load(cls):
        cls.database.load(
            list(trip("a", DAY, 28800, 3, 30)) + list(trip("a", DAY, 36000, 20, 30))
            + list(trip("b", DAY, 28800, 3, 40)),
            [label("a", DAY, 28800, 30, "walk"), label("a", DAY, 36000, 30, "bus")])
        cls.database.run_day(DAY)

    def test_three_signals_have_the_same_features(self):
        names = [name.split("_name_")[1].split("__")
                 for name in self.columns("ts_features_walk_pvt")]
        by_signal = {signal: {feature for other, feature in names if other == signal}
                     for signal, _ in names}
        self.assertEqual({"distance_miles", "interval_hour", "speed"}, set(by_signal))
        self.assertEqual(by_signal["speed"], by_signal["distance_miles"])
        self.assertLessEqual({"mean", "maximum", "length"}, by_signal["speed"])

    def test_a_feature_says_what_the_points_say(self):
        found = self.database.rows(
            "select max(abs(w.value_avg_feature_name_speed__mean - s.mean)) < 1e-9,"
            " max(abs(w.value_avg_feature_name_speed__length - s.points)), count(*)"
            " from geolife.ts_features_walk_pvt w join ("
            "   select trajectory_id, avg(speed) as mean, count(*) as points"
            f"  from geolife.geolife_trajectory_speed_walk where tdate = date '{DAY}' group by 1"
            f" ) s on s.trajectory_id = w.id and w.tdate = date '{DAY}'")
        self.assertEqual([[True, 0, 4]], found)

    def test_labelled_ones_are_to_train_on_and_the_others_to_predict(self):
        ids = "select id, label from geolife.{} where tdate = date '" + DAY + "' order by 1"
        self.assertEqual([[f"{DAY}_1", True], [f"{DAY}_2", False]],
                         self.database.rows(ids.format("tsfresh_model_features")))
        self.assertEqual([[f"nl_b_{DAY}_1", None], [f"nl_b_{DAY}_2", None]],
                         self.database.rows(ids.format("tsfresh_predict_features")))

    def test_a_day_again_has_the_same_rows(self):
        before = self.rows_of(DAY)
        self.database.run_day(DAY)
        self.assertEqual(before, self.rows_of(DAY))
        self.assertTrue(before["tsfresh_predict_features"])

    def test_a_day_without_data_leaves_nothing(self):
        self.database.run_day("2030-12-15")
        self.assertEqual({table: [] for table in DAY_TABLES}, self.rows_of("2030-12-15"))

    def test_a_day_whose_data_went_leaves_nothing(self):
        day = "2030-12-16"
        self.database.load(trip("z", day, 28800, 3, 30))
        self.database.run_day(day)
        self.assertEqual(2, self.count("ts_features_walk_pvt", day))
        self.database.execute("delete from geolife.geolife_trajectory_landing where uid = 'z'")
        self.database.run_day(day)
        self.assertEqual({table: [] for table in DAY_TABLES}, self.rows_of(day))

    def test_without_a_model_nothing_is_predicted(self):
        self.assertEqual(0, self.count("walk_prediction_results"))


class ChangingFeatures(Server):
    """One day with the minimal set, the next with another one, as a new tsfresh could bring."""

    OTHER = """{'mean': None, 'agg_linear_trend': [
        {'attr': 'slope', 'chunk_len': 5, 'f_agg': 'max'},
        {'attr': 'slope', 'chunk_len': 5, 'f_agg': 'min'}]}"""

    @classmethod
    def load(cls):
        for day in (DAY, NEXT):
            cls.database.load(trip("a", day, 28800, 3, 20))
        cls.database.run_day(DAY)
        cls.database.execute(cls.function(cls.OTHER))
        cls.database.run_day(NEXT)

    @staticmethod
    def function(parameters):
        """tsfresh_features as the migration makes it, but with other parameters."""
        migration, = (path for path in support.MIGRATIONS if "features" in path.name)
        text = support.render_migration(migration)
        start = text.index("create function geolife.tsfresh_features")
        end = text.index("volatile;", start) + len("volatile;")
        changed = text[start:end].replace("MinimalFCParameters(),", f"{parameters},")
        return changed.replace("create function", "create or replace function")

    def test_a_new_feature_gets_a_column_everywhere(self):
        names = self.columns("ts_features_walk_pvt")
        trends = [name for name in names if "__agg_linear_" in name]
        self.assertEqual(6, len(trends))
        for table in ("tsfresh_model_features", "tsfresh_predict_features"):
            self.assertEqual(names, self.columns(table))

    def test_a_missing_feature_is_null(self):
        found = self.database.rows(
            "select tdate::text, count(value_avg_feature_name_speed__mean),"
            " count(value_avg_feature_name_speed__maximum)"
            " from geolife.tsfresh_predict_features group by 1 order by 1")
        self.assertEqual([[DAY, 1, 1], [NEXT, 1, 0]], found)

    def test_long_names_stay_apart_and_fit(self):
        names = [name for name, in self.database.rows(
            f"select feature_name from geolife.ts_features_walk where tdate = date '{NEXT}'")]
        self.assertEqual(9, len(set(names)))
        self.assertEqual(40, max(len(name) for name in names))
        for name in names:
            self.assertRegex(name, "^[A-Za-z0-9_]+$")


class Models(Server):
    TRAINED = "2007-05-01"

    @classmethod
    def load(cls):
        """Twelve labelled trips a day on seven days: enough to train on. One day to predict."""
        days = [f"2007-04-{number}" for number in range(20, 27)]
        points, labels = [], []
        for day in days:
            for number in range(12):
                start, mph = 3600 * number, (3, 25)[number % 2]
                points += trip("a", day, start, mph, 20)
                labels.append(label("a", day, start, 20, ("walk", "bus")[number % 2]))
        for day in ("2007-04-30", "2007-05-01"):
            points += list(trip("w", day, 0, 3, 20)) + list(trip("r", day, 0, 25, 20))
        cls.database.load(points, labels)
        for day in days:
            cls.database.run_day(day, until="tsfresh_predict_features")
        cls.database.train("2007-04-20")
        cls.database.execute(
            "alter table geolife.tsfresh_model_features"
            " add column value_avg_feature_name_speed__nothing double precision;"
            "alter table geolife.tsfresh_predict_features"
            " add column value_avg_feature_name_speed__nothing double precision")
        cls.database.train(cls.TRAINED)

    def registry(self):
        return self.database.rows(
            "select mdate::text, model_type, rows_train, rows_test, in_service"
            " from geolife.models_metadata order by mdate")

    def predictions(self, day):
        self.database.run_day(day)
        return self.database.rows(
            "select id, estimated_label from geolife.walk_prediction_results"
            f" where tdate = date '{day}' order by id")

    def test_too_little_to_train_on_is_recorded(self):
        (auc, in_service, reason), = self.database.rows(
            "select auc, in_service, reason from geolife.models_metadata"
            " where mdate = date '2007-04-20'")
        self.assertEqual([None, False], [auc, in_service])
        self.assertIn("not trained", reason)

    def test_a_viable_model_enters_service(self):
        (train, test, auc, balanced, in_service), = self.database.rows(
            "select rows_train, rows_test, auc, balanced_accuracy, in_service"
            f" from geolife.models_metadata where mdate = date '{self.TRAINED}'")
        self.assertEqual([67, 17, True], [train, test, in_service])
        self.assertGreaterEqual(auc, 0.9)
        self.assertGreaterEqual(balanced, 0.8)

    def test_columns_without_values_and_lengths_are_not_trained_on(self):
        features = self.database.value(
            f"select features from geolife.models_metadata where mdate = date '{self.TRAINED}'")
        self.assertIn("value_avg_feature_name_speed__mean", features)
        for absent in ("speed__nothing", "__length", "__sum_values"):
            self.assertNotIn(absent, features)

    def test_a_day_asks_a_model_older_than_its_end(self):
        self.assertEqual([], self.predictions("2007-04-30"))
        self.assertEqual([["nl_r_2007-05-01_1", False], ["nl_w_2007-05-01_1", True]],
                         self.predictions("2007-05-01"))

    def test_training_again_replaces_the_row(self):
        before = self.registry()
        self.database.train(self.TRAINED)
        self.assertEqual(before, self.registry())

    def test_the_same_seed_splits_in_the_same_way(self):
        test_part = "select id from geolife.features_walk_20070501_test order by id"
        before = self.database.rows(test_part)
        self.database.run("geolife_model_training", ["split_features"], self.TRAINED)
        self.assertEqual(before, self.database.rows(test_part))
        self.assertEqual(17, len(before))

    def test_one_label_is_too_little(self):
        day = "2007-05-20"
        self.database.run("geolife_model_training", support.TRAINING[:1], day)
        self.database.execute("delete from geolife.features_walk_20070520_train where label")
        self.database.run("geolife_model_training", support.TRAINING[1:], day)
        self.addCleanup(self.database.execute,
                        f"delete from models.registry where mdate = date '{day}'")
        (in_service, reason), = self.database.rows(
            f"select in_service, reason from geolife.models_metadata where mdate = date '{day}'")
        self.assertFalse(in_service)
        self.assertIn("not trained", reason)

    def test_a_worse_model_stays_out_of_service(self):
        self.database.execute(
            "insert into models.registry"
            " (name, version, mdate, kind, place, metrics, rows_train, rows_test, in_service)"
            " values ('rf_walk', '2007-05-15', '2007-05-15', 'madlib_forest',"
            " 'geolife.rf_walk_20070501_output', '{\"auc\": 2}', 1, 1, true)")
        self.addCleanup(self.database.execute,
                        "delete from models.registry where mdate > date '2007-05-01'")
        self.database.train("2007-06-01")
        (in_service, reason), = self.database.rows(
            "select in_service, reason from geolife.models_metadata"
            " where mdate = date '2007-06-01'")
        self.assertFalse(in_service)
        self.assertIn("of the model of 2007-05-15", reason)


class Registry(unittest.TestCase):
    """The registry of every pipeline takes over the one that the forests had."""

    def test_rows_of_before_move_over_and_are_read_by_the_old_name(self):
        before, registry = support.MIGRATIONS[:4], support.MIGRATIONS[4]
        database = support.Database("dag_registry", before)
        self.addCleanup(database.drop)
        database.execute(
            "insert into geolife.models_metadata values"
            " ('2007-05-01', '20070501', 'rf_walk', 'geolife.rf_walk_20070501_output', 0.9, 0.8,"
            " 0.7, 'other: 3, 0; walk: 1, 1', 'speed, distance', 19, 5, true, 'AUC 0.9000'),"
            " ('2007-06-01', '20070601', 'rf_walk', 'geolife.rf_walk_20070601_output', null, null,"
            " null, null, null, 0, 0, false, 'not trained')")
        rows = "select * from geolife.models_metadata order by mdate"
        old = database.rows(rows)
        database.migrate(registry)
        self.assertEqual(old, database.rows(rows))
        self.assertEqual(
            [["rf_walk", "2007-05-01", "madlib_forest", "geolife_model_training", "rule"],
             ["rf_walk", "2007-06-01", "madlib_forest", "geolife_model_training", "rule"]],
            database.rows("select name, version, kind, dag_id, decided_by from models.registry"
                          " order by version"))

    def test_the_rule_of_promotion(self):
        database = support.Database("dag_rule")
        self.addCleanup(database.drop)
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as template:
            template.write('{%- import "macros/models.sql" as models -%}'
                           '{{ models.decide("m", "2007-05-01", least={"recall": 0.8},'
                           ' compare="ap", min_rows=10) }}')
            template.flush()
            rule = support.render_file(template.name, {})
        good = '{"recall": 0.8, "ap": 0.5}'
        for metrics, rows, against, rival, verdict in (
                (good, 10, "null", None, "ap 0.5000"),
                (good, 10, "null", '{"ap": 0.5}', "ap 0.5000"),
                (good, 10, "null", '{"ap": null}', "ap 0.5000"),
                (good, 10, "null", '{"ap": 0.51}', "-ap 0.5000 is below 0.5100 of the model of a"),
                (good, 9, "null", None, "-trained and tested on 9 rows, fewer than 10"),
                (good, "null", "null", None, "-trained and tested on 0 rows, fewer than 10"),
                (good, 10, "'it is broken'", None, "-it is broken"),
                ('{"recall": 0.79, "ap": 1}', 10, "null", None, "-recall 0.7900 is below 0.8"),
                ('{"recall": null, "ap": 1}', 10, "null", None, "-recall is not known"),
                ('{"recall": 0.9}', 10, "null", None, "-ap is not known"),
                ("{}", 10, "null", None, "-recall is not known")):
            # `later` and what is out of service are no rivals.
            database.execute(
                "truncate models.registry;"
                "insert into models.registry (name, version, mdate, kind, place, metrics,"
                " in_service) values ('m', 'later', '2007-06-01', 'k', 'p', '{\"ap\": 1}', true),"
                " ('m', 'out', '2007-04-02', 'k', 'p', '{\"ap\": 1}', false),"
                " ('other', 'x', '2007-04-02', 'k', 'p', '{\"ap\": 1}', true);"
                "insert into models.registry (name, version, mdate, kind, place, metrics,"
                f" rows_train, reason) values ('m', '2007-05-01', '2007-05-01', 'k', 'p',"
                f" '{metrics}', {rows}, {against})")
            if rival:
                database.execute(
                    "insert into models.registry (name, version, mdate, kind, place, metrics,"
                    f" in_service) values ('m', 'a', '2007-04-01', 'k', 'p', '{rival}', true),"
                    " ('m', 'b', '2007-03-01', 'k', 'p', '{\"ap\": 1}', true)")
            database.execute(rule)
            found, = database.rows(
                "select case when in_service then '' else '-' end || reason, decided_by,"
                " decided_at is not null from models.registry"
                " where name = 'm' and version = '2007-05-01'")
            self.assertEqual(found, [verdict, "rule", True])


if __name__ == "__main__":
    unittest.main()
