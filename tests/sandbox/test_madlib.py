"""The stand-ins for MADlib: tables, columns, messages and quirks as real MADlib's."""

import json

import pytest

SUMMARY = [
    ("method", "text"), ("is_classification", "boolean"), ("source_table", "text"),
    ("model_table", "text"), ("id_col_name", "text"), ("dependent_varname", "text"),
    ("independent_varnames", "text"), ("cat_features", "text"), ("con_features", "text"),
    ("grouping_cols", "text"), ("num_trees", "integer"), ("num_random_features", "integer"),
    ("max_tree_depth", "integer"), ("min_split", "integer"), ("min_bucket", "integer"),
    ("num_splits", "integer"), ("verbose", "boolean"), ("importance", "boolean"),
    ("num_permutations", "integer"), ("num_all_groups", "integer"),
    ("num_failed_groups", "integer"), ("total_rows_processed", "bigint"),
    ("total_rows_skipped", "bigint"), ("dependent_var_levels", "text"),
    ("dependent_var_type", "text"), ("independent_var_types", "text"), ("null_proxy", "text"),
]

# 400 rows: `label` follows f1, with noise; f2 is noise; f3 is NULL in places; day is no feature.
DATA = """
select setseed(0.25);
create table x as
select i as id, (random() + case when i % 2 = 1 then 0.6 else 0 end)::float8 as f1,
       random()::float8 as f2, case when i % 5 <> 0 then random()::float8 end as f3,
       i % 2 = 1 as label, date '2007-04-12' as day
  from generate_series(1, 400) as i;
create table empty as select * from x limit 0;
"""


def train(**changes):
    """A call of forest_train as the pipeline makes it, with changes."""
    values = {"source": "'x'", "output": "'m'", "id": "'id'", "label": "'label'",
              "features": "'f1,f2,f3'", "exclude": "null", "groups": "null", "trees": "20",
              "random": "2", "importance": "true", "permutations": "1", "depth": "8", "split": "3",
              "bucket": "1", "splits": "10"}
    values.update(changes)
    return f"select madlib.forest_train({', '.join(values.values())});"


@pytest.fixture
def data(database):
    database.execute(DATA)
    return database


# All functions

@pytest.mark.parametrize("function", ["train_test_split", "forest_train", "forest_predict", "pivot",
                                      "get_var_importance", "area_under_roc", "confusion_matrix"])
def test_help(database, function):
    short = database.query(f"select madlib.{function}()")[0][0]
    usage = database.query(f"select madlib.{function}('usage')")[0][0]
    assert f"madlib.{function}('usage')" in short
    assert f"SELECT madlib.{function}(" in usage
    assert "Output:" in usage


def test_the_forms_with_fewer_arguments(database):
    found = dict(database.query(
        "select proname, json_agg(distinct pronargs order by pronargs) from pg_proc"
        " where pronamespace = 'madlib'::regnamespace and prorettype = 'void'::regtype"
        " group by 1"))
    assert {name: json.loads(counts) for name, counts in found.items()} == {
        "train_test_split": list(range(3, 9)),
        "forest_train": list(range(6, 19)),
        "forest_predict": [3, 4],
        "get_var_importance": [2],
        "pivot": list(range(5, 11)),
        "area_under_roc": [4, 5],
        "confusion_matrix": [4],
    }
    assert database.query("select count(*) from pg_proc where pronargdefaults > 0"
                          " and pronamespace = 'madlib'::regnamespace") == [("0",)]


def test_one_void_row(data):
    rows = data.query("select madlib.train_test_split('x', 's', 0.8), "
                      "pg_typeof(madlib.train_test_split('x', 's2', 0.8))")
    assert rows == [("", "void")]


def test_one_argument_succeeds_with_help(database):
    assert "random forest" in database.query("select madlib.forest_train('x')")[0][0]


# train_test_split

def test_split_into_two_tables(data):
    data.execute("select madlib.train_test_split('x','s',0.8,0.2,NULL,NULL,FALSE,TRUE)")
    assert data.query("select (select count(*) from s_train), (select count(*) from s_test),"
                      "       (select count(distinct id) from"
                      "         (select id from s_train union select id from s_test) u)") == [
        ("320", "80", "400")]
    assert data.columns("s_train") == data.columns("x")
    assert data.columns("s_test") == data.columns("x")


def test_split_into_one_table(data):
    data.execute("select madlib.train_test_split('x', 's', 0.7, 0.2)")
    assert data.columns("s") == data.columns("x") + [("split", "integer")]
    assert data.query("select split, count(*) from s group by 1 order by 1") == [
        ("0", "80"), ("1", "280")]


def test_a_seeded_split_repeats_even_in_another_order(data):
    split = "select setseed(0.4); select madlib.train_test_split({}, {}, 0.8);"
    data.execute("create table y as select * from x order by random();"
                 + split.format("'x'", "'a'") + split.format("'x'", "'b'")
                 + split.format("'y'", "'c'") + "select madlib.train_test_split('x', 'd', 0.8)")
    same = "select count(*) from a join {} o using (id) where a.split <> o.split"
    assert data.query(same.format("b")) == [("0",)]
    assert data.query(same.format("c")) == [("0",)]
    assert data.query(same.format("d")) != [("0",)]


def test_split_by_groups_and_columns(data):
    data.execute("select madlib.train_test_split('x','s',0.75,0.25,'label','id',FALSE,FALSE)")
    assert [name for name, _ in data.columns("s")] == ["label", "id", "split"]
    assert data.query("select label, split, count(*) from s group by 1, 2 order by 1, 2") == [
        ("f", "0", "50"), ("f", "1", "150"), ("t", "0", "50"), ("t", "1", "150")]


def test_split_with_replacement(data):
    data.execute("select setseed(0.1);"
                 "select madlib.train_test_split('x','s',0.5,0.5,'label',NULL,TRUE,TRUE)")
    assert data.query("select label, count(*), count(distinct id) < 100 from s_train"
                      " group by 1 order by 1") == [("f", "100", "t"), ("t", "100", "t")]


@pytest.mark.parametrize("call, message", [
    ("'nope','s',0.8", "Sample: Source table (nope) is missing!"),
    ("'empty','s',0.8", "Sample: Source table (empty) is empty!"),
    ("'x','empty',0.8", "Sample: Output table already exists!"),
    ("'x','s',1.2", "Sample: Proportions aren't in the range (0,1)!"),
    ("'x','s',0.8,0", "Sample: Proportions aren't in the range (0,1)!"),
    ("'x','s',NULL", "Sample: Proportions aren't in the range (0,1)!"),
    ("'x','s',0.8,0.3", "Sample: Proportions add up to greater than 1!"),
    ("'x','s',0.8,0.2,'nope'",
     "Sample: Not all columns from ['nope'] present in source table (x)"),
])
def test_split_mistakes(data, call, message):
    assert data.error(f"select madlib.train_test_split({call})") == ("XX000",
                                                                    f"plpy.Error: {message}")


def test_split_finds_a_left_over_test_part(data):
    data.execute("create table s_test (n integer)")
    state, message = data.error(
        "select madlib.train_test_split('x','s',0.8,0.2,NULL,NULL,FALSE,TRUE)")
    assert (state, message) == ("XX000", "plpy.Error: Sample: Output table already exists!")
    assert data.query("select to_regclass('s_train')") == [(None,)]


# forest_train

def test_the_tables_of_a_model(data):
    data.execute("update x set label = null where id > 390;" + train(trees="5"))
    assert data.columns("m") == [("gid", "integer"), ("sample_id", "integer"), ("tree", "bytea")]
    assert data.query("select gid, sample_id from m order by 2") == [
        ("1", str(number)) for number in range(1, 6)]
    assert data.columns("m_group") == [
        ("gid", "integer"), ("success", "boolean"), ("cat_n_levels", "integer[]"),
        ("cat_levels_in_text", "text[]"), ("oob_error", "numeric"),
        ("oob_var_importance", "double precision[]"),
        ("impurity_var_importance", "double precision[]")]
    assert data.query("select gid, success, cardinality(oob_var_importance), "
                      "cardinality(impurity_var_importance), oob_error between 0 and 0.45 "
                      "from m_group") == [("1", "t", "3", "3", "t")]
    assert data.columns("m_summary") == SUMMARY
    assert data.query("select * from m_summary") == [(
        "forest_train", "t", "x", "m", "id", "label", "f1,f2,f3", "", "f1,f2,f3", None, "5", "2",
        "8", "3", "1", "10", "f", "t", "1", "1", "0", "390", "10", '"False","True"', "boolean",
        "double precision, double precision, double precision", None)]


def test_a_star_means_all_columns_but_the_excluded(data):
    data.execute(train(features="'*'", exclude="'day'"))
    assert data.query("select independent_varnames from m_summary") == [("f1,f2,f3",)]


def test_expressions_and_quoted_names(data):
    data.execute('create schema "My"; create table "My"."Table x" as'
                 ' select id as "The id", f1 as "F, 1", f2, label as "Label" from x;'
                 + train(source="'\"My\".\"Table x\"'", output="'\"My\".\"Model\"'",
                         id="'\"The id\"'", label="'\"Label\"'",
                         features="'\"F, 1\", round(log(greatest(f2, 0.01))::numeric, 2)'"))
    data.execute("select madlib.forest_predict('\"My\".\"Model\"', '\"My\".\"Table x\"',"
                 " '\"My\".\"Out\"')")
    assert data.columns('"My"."Out"') == [("The id", "integer"), ("estimated_Label", "boolean")]
    assert data.query('select count(*) from "My"."Out"') == [("400",)]


def test_the_shortest_form(data):
    data.execute("alter table x drop day;"
                 "select madlib.forest_train('x','m','id','label','*',NULL)")
    assert data.query("select num_trees, num_random_features, importance from m_summary") == [
        ("100", "1", "t")]


def test_categories_and_unknown_ones(data):
    data.execute("create table c as select id, label, (case when label then 'yes' else 'no' end)"
                 " || id % 3 as word, label and id % 7 > 0 as flag, id % 4 as number from x;"
                 + train(source="'c'", features="'word, flag, number'", trees="10"))
    assert data.query("select cat_features, con_features, independent_var_types"
                      " from m_summary") == [("word,flag,number", "", "text, boolean, integer")]
    assert data.query("select cat_n_levels, cardinality(cat_levels_in_text) from m_group") == [
        ("{6,2,4}", "12")]
    data.execute("update c set word = 'never seen' where id = 1;"
                 "select madlib.forest_predict('m', 'c', 'p')")
    assert data.query("select count(*), count(estimated_label) from p") == [("400", "400")]


def test_a_fraction_makes_a_regression(data):
    data.execute(train(label="'f1 * 2'", features="'f1,f2'", depth="10", splits="50"))
    assert data.query("select is_classification, dependent_var_levels from m_summary") == [
        ("f", None)]
    data.execute("select madlib.forest_predict('m', 'x', 'p')")
    assert data.columns("p")[1] == ("estimated_f1 * 2", "double precision")
    assert data.query('select corr("estimated_f1 * 2", f1) > 0.95 from p join x using (id)') == [
        ("t",)]
    assert data.error("select madlib.forest_predict('m', 'x', 'p2', 'prob')")[0] == "XX000"


def test_a_model_is_good_and_two_are_different(data):
    data.execute(train() + train(output="'m2'"))
    assert data.query("select count(*) from m join m2 using (sample_id)"
                      " where m.tree <> m2.tree") != [("0",)]
    data.execute("select madlib.forest_predict('m', 'x', 'p', 'prob');"
                 "create table e as select * from p join x using (id);"
                 "select madlib.area_under_roc('e', 'auc', '\"estimated_prob_True\"', 'label')")
    assert data.query("select area_under_roc between 0.9 and 1 from auc") == [("t",)]


def test_without_importance(data):
    data.execute(train(importance="false"))
    assert data.query("select oob_var_importance, impurity_var_importance from m_group") == [
        (None, None)]
    assert data.error("select madlib.get_var_importance('m', 'i')")[0] == "XX000"


def test_null_and_nan_features_are_accepted(data):
    data.execute("update x set f2 = 'NaN' where id % 9 = 0;"
                 "update x set f1 = 'Infinity' where id = 7;" + train())
    data.execute("update x set f1 = null, f2 = null;"
                 "select madlib.forest_predict('m', 'x', 'p')")
    assert data.query("select count(estimated_label) from p") == [("400",)]


def test_null_as_category(data):
    data.execute("create table c as select id, label, case when label then 'a' end as word from x;"
                 "select madlib.forest_train('c','m','id','label','word',NULL,NULL,5,1,true,1,3,2,"
                 "1,10,'null_as_category=TRUE',false,0.9)")
    assert data.query("select null_proxy, (select cat_n_levels from m_group) from m_summary") == [
        ("__NULL__", "{2}")]


def test_a_feature_of_nulls_only_is_an_error_not_a_crash(data):
    data.execute("update x set f3 = null")
    state, message = data.error(train())
    assert state == "XX000"
    assert "feature f3 is NULL in every row" in message
    assert data.query("select to_regclass('m')") == [(None,)]


@pytest.mark.parametrize("changes, message", [
    ({"source": "'nope'"}, "Random forest error: Input table 'nope' does not exist."),
    ({"source": "'no such;table'"},
     "Random forest error: Input table 'no such;table' does not exist."),
    ({"source": "'empty'"}, "Random forest error: Input table 'empty' is empty!"),
    ({"output": "'empty'"}, "Random forest error: Output table 'empty' already exists."),
    ({"id": "'nope'"}, "Random forest error: Column 'nope' does not exist in table 'x'!"),
    ({"label": "'nope'"}, "Random forest error: Invalid dependent variable (nope)."),
    ({"features": "'f1,nope'"}, "Random forest error: Invalid feature list (f1,nope)"),
    ({"trees": "0"}, "Random forest error: num_trees must be positive."),
    ({"depth": "16"},
     "Random forest error: max_tree_depth must be non-negative and less than 16."),
    ({"depth": "-1"},
     "Random forest error: max_tree_depth must be non-negative and less than 16."),
    ({"random": "4"}, "Random forest error: Number of features to be selected is more than the "
                      "actual number of features."),
    ({"splits": "401"},
     "Decision tree error: Number of bins is larger than the number of data records."),
    ({"label": "'id > 0'"}, "Random forest error: Invalid response variable for a "
                            "classificationtree. Should have more than one distinct value"),
    ({"groups": "'label'"}, "Random forest error: grouping_cols is not supported"),
    ({"features": "'f1,day'"}, "Random forest error: Feature day has the type date"),
])
def test_training_mistakes(data, changes, message):
    state, said = data.error(train(**changes))
    assert state == "XX000"
    assert said.startswith(f"plpy.Error: {message}")


@pytest.mark.parametrize("suffix", ["_summary", "_group"])
def test_training_finds_left_over_tables(data, suffix):
    data.execute(f"create table m{suffix} (n integer)")
    assert data.error(train())[1].startswith(
        f"plpy.Error: Random forest error: Output table 'm{suffix}' already exists.")


def test_max_depth_zero_is_a_stump(data):
    data.execute(train(depth="0") + "select madlib.forest_predict('m', 'x', 'p')")
    assert data.query("select count(distinct estimated_label) from p") == [("1",)]


# forest_predict

def test_response_and_probabilities(data):
    data.execute(train())
    data.execute("select madlib.forest_predict('m', 'x', 'p');"  # each in a session of its own
                 "select madlib.forest_predict('m', 'x', 'q', 'prob')")
    assert data.columns("p") == [("id", "integer"), ("estimated_label", "boolean")]
    assert data.columns("q") == [("id", "integer"), ("estimated_prob_False", "double precision"),
                                 ("estimated_prob_True", "double precision")]
    assert data.query(
        'select count(*), bool_and(abs("estimated_prob_False" + "estimated_prob_True" - 1) < 1e-9),'
        ' bool_and(estimated_label = ("estimated_prob_True" > 0.5)'
        '          or "estimated_prob_True" = 0.5) from p join q using (id)') == [
        ("400", "t", "t")]


def test_the_same_id_twice_is_one_row(data):
    data.execute(train() + "insert into x select * from x where id <= 10;"
                 "select madlib.forest_predict('m', 'x', 'p')")
    assert data.query("select count(*) from p") == [("400",)]


def test_predicting_no_rows(data):
    data.execute(train() + "select madlib.forest_predict('m', 'empty', 'p')")
    assert data.query("select count(*) from p") == [("0",)]


@pytest.mark.parametrize("call, expected", [
    ("'nope','x','p'",
     ("XX000", "plpy.Error: Recursive Partitioning: Model table does not exist.")),
    ("'m','x','empty'",
     ("XX000", "plpy.Error: Recursive Partitioning: Output table already exists.")),
    ("'m','x','p','both'",
     ("XX000", "plpy.Error: Random forest error: pred_type should be 'response' or 'prob'")),
])
def test_prediction_mistakes(data, call, expected):
    data.execute(train())
    assert data.error(f"select madlib.forest_predict({call})") == expected


def test_a_feature_missing_at_prediction(data):
    data.execute(train() + "create table y as select id, f1, f2 from x")
    assert data.error("select madlib.forest_predict('m', 'y', 'p')") == (
        "42703", 'spiexceptions.UndefinedColumn: column "f3" does not exist')


def test_the_importance_of_features(data):
    data.execute(train() + "select madlib.get_var_importance('m', 'i')")
    assert data.columns("i") == [("feature", "text"), ("oob_var_importance", "double precision"),
                                 ("impurity_var_importance", "double precision")]
    assert data.query("select abs(sum(oob_var_importance) - 100) < 1e-6,"
                      "       abs(sum(impurity_var_importance) - 100) < 1e-6,"
                      "       (array_agg(feature order by impurity_var_importance desc))[1]"
                      "  from i") == [("t", "t", "f1")]


# pivot

LONG = """
create table pivset (id integer, piv integer, val float8);
insert into pivset values (0, 10, 1), (0, 10, 2), (0, 20, 3), (1, 20, 4), (1, 30, 5), (1, 30, 6),
                          (1, 10, 7), (null, 10, 8), (1, null, 9), (1, 10, null);
create table no_rows as select * from pivset limit 0;
"""


def test_pivot(database):
    database.execute(LONG + "select madlib.pivot('pivset', 'out', 'id', 'piv', 'val')")
    assert [name for name, _ in database.columns("out")] == [
        "id", "val_avg_piv_10", "val_avg_piv_20", "val_avg_piv_30"]
    assert database.query("select * from out order by id") == [
        ("0", "1.5", "3", None), ("1", "7", "4", "5.5"), (None, "8", None, None)]


def test_pivot_with_aggregates_fill_and_null(database):
    database.execute(LONG + "select madlib.pivot('pivset','out','id','piv','val','sum','111',true)")
    assert database.query("select * from out order by id") == [
        ("0", "3", "3", "111", "111"), ("1", "7", "4", "11", "9"), (None, "8", "111", "111", "111")]
    assert database.columns("out")[-1][0] == "val_sum_piv_null"


def test_pivot_of_several_columns(database):
    database.execute(LONG + "alter table pivset add piv2 text default 'a', add v2 float8 default 1;"
                     "select madlib.pivot('pivset','out','id','piv, piv2','val, v2',"
                     "'val=avg, v2=[avg,sum]')")
    names = [name for name, _ in database.columns("out")]
    assert names == ["id"] + [f"{value}_piv_{level}_piv2_a" for value in
                              ("val_avg", "v2_avg", "v2_sum") for level in (10, 20, 30)]


def test_pivot_keep_null_in_the_place_of_the_aggregate(database):
    database.execute(LONG + "select madlib.pivot('pivset','a','id','piv','val',true);"
                     "select madlib.pivot('pivset','b','id','piv','val','sum',true)")
    assert database.columns("a")[-1][0] == "val_avg_piv_null"
    assert database.columns("b")[-1][0] == "val_sum_piv_null"


def test_pivot_names_that_are_too_long(database):
    database.execute(
        "create table long as select i as id, repeat('x', 60) || k as feature_name, i * k::float8"
        " as value from generate_series(1, 2) i, generate_series(1, 3) k")
    said = database.execute("select madlib.pivot('long', 'out', 'id', 'feature_name', 'value')")
    assert "out_dictionary" in said
    assert [name for name, _ in database.columns("out")] == ["id", "__p_1__", "__p_2__", "__p_3__"]
    assert [name for name, _ in database.columns("out_dictionary")] == [
        "__pivot_cid__", "pval", "agg", "feature_name", "col_name"]
    name = "x" * 60 + "2"
    assert database.query("select * from out_dictionary where __pivot_cid__ = '__p_2__'") == [
        ("__p_2__", "value", "avg", name, f'"value_avg_feature_name_{name}"')]
    assert database.query("select __p_2__ from out order by id") == [("2",), ("4",)]


def test_pivot_with_a_dictionary_on_request(database):
    database.execute(LONG + "select madlib.pivot('pivset','out','id','piv','val',NULL,NULL,NULL,"
                     "true)")
    assert [name for name, _ in database.columns("out")][1:] == ["__p_1__", "__p_2__", "__p_3__"]


def test_pivot_of_odd_values(database):
    database.execute("create table odd as select 1 as id, k as piv, 1.5 as val from unnest(array["
                     "'it''s', 'a\"b', '', 'É']) k;"
                     "select madlib.pivot('odd', 'out', 'id', 'piv', 'val')")
    assert {name for name, _ in database.columns("out")} == {
        "id", "val_avg_piv_it's", 'val_avg_piv_a"b', "val_avg_piv_", "val_avg_piv_É"}
    assert database.query("select count(*) from out where (to_jsonb(out) - 'id') <@ (select"
                          " jsonb_object_agg(key, 1.5) from jsonb_each(to_jsonb(out) - 'id'))") == [
        ("1",)]


@pytest.mark.parametrize("call, message", [
    ("'nope','out','id','piv','val'", "Pivot: Data table (nope) is missing!"),
    ("'no_rows','out','id','piv','val'", "Pivot: Data table (no_rows) is empty!"),
    ("'pivset','no_rows','id','piv','val'", "Pivot: Output table already exists!"),
    ("'pivset','out','c','piv','val'",
     "Pivot: Not all columns from ['c'] present in source table (pivset)"),
    ("'pivset','out','id','piv','val','avg',null,false,false,'svec'",
     "Pivot: the sandbox's pivot makes columns only (output_type 'svec' is not supported here)"),
])
def test_pivot_mistakes(database, call, message):
    assert database.error(LONG + f"select madlib.pivot({call})") == ("XX000",
                                                                     f"plpy.Error: {message}")


# area_under_roc, confusion_matrix

SCORES = """
create table scores (g text, score float8, seen boolean, digit integer);
insert into scores values ('a', 0.9, true, 1), ('a', 0.8, false, 0), ('a', 0.7, true, 1),
    ('a', 0.7, false, 0), ('a', 0.1, false, 0), ('b', 0.2, true, 1), ('b', 0.9, false, 0),
    ('c', 0.5, true, 1), ('c', null, false, 0);
create table no_rows as select * from scores limit 0;
"""


def test_area_under_roc(database):
    # 'a': of 2 * 3 pairs 3 + 1.5 are ordered rightly, the tie counting half.
    database.execute(SCORES + "create table a as select * from scores where g = 'a';"
                     "select madlib.area_under_roc('a', 'out', 'score', 'seen');"
                     "select madlib.area_under_roc('a', 'out2', 'score', 'digit')")
    assert database.columns("out") == [("area_under_roc", "numeric")]
    assert database.query("select round(area_under_roc, 6) from out") == [("0.750000",)]
    assert database.query("select * from out2") == database.query("select * from out")


def test_area_under_roc_by_group_and_of_one_class(database):
    database.execute(SCORES + "select madlib.area_under_roc('scores','out','score','seen','g')")
    assert database.query("select g, round(area_under_roc, 2) from out order by g") == [
        ("a", "0.75"), ("b", "0.00"), ("c", None)]
    database.execute("create table one as select * from scores where seen;"
                     "select madlib.area_under_roc('one', 'out1', 'score', 'seen')")
    assert database.query("select * from out1") == [(None,)]


def test_confusion_matrix(database):
    database.execute("create table r as select * from (values ('x','x'), ('x','y'), ('y','y'),"
                     " ('y','z'), ('x','x')) as v (seen, said);"
                     "select madlib.confusion_matrix('r', 'out', 'said', 'seen')")
    assert database.columns("out") == [("row_id", "bigint"), ("class", "text"),
                                       ("confusion_arr", "numeric[]")]
    assert database.query("select * from out order by 1") == [
        ("1", "x", "{2,1,0}"), ("2", "y", "{0,1,1}"), ("3", "z", "{0,0,0}")]


@pytest.mark.parametrize("function", ["area_under_roc", "confusion_matrix"])
@pytest.mark.parametrize("call, message", [
    ("'nope','out','score','seen'", "Input table 'nope' does not exist."),
    ("'no_rows','out','score','seen'", "Input table 'no_rows' is empty!"),
    ("'scores','no_rows','score','seen'", "Output table 'no_rows' already exists."),
    ("'scores','out','nope','seen'", "Column 'nope' does not exist in table 'scores'!"),
])
def test_metric_mistakes(database, function, call, message):
    state, said = database.error(SCORES + f"select madlib.{function}({call})")
    assert state == "XX000"
    assert said.startswith(f"plpy.Error: Prediction Metrics error: {message}")
