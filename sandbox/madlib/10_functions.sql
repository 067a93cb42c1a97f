-- The functions with all their arguments, in MADlib's order. Their Python is in dag_madlib/.

create or replace function madlib.version() returns text
language plpython3u immutable as $$
from dag_madlib import VERSION
return VERSION
$$;

create or replace function madlib.train_test_split(
    source_table text, output_table text, train_proportion float8, test_proportion float8,
    grouping_cols text, target_cols text, with_replacement boolean, separate_output_tables boolean)
returns void language plpython3u volatile as $$
from dag_madlib import split
split.train_test_split(source_table, output_table, train_proportion, test_proportion,
                       grouping_cols, target_cols, with_replacement, separate_output_tables)
$$;

create or replace function madlib.forest_train(
    training_table_name text, output_table_name text, id_col_name text, dependent_variable text,
    list_of_features text, list_of_features_to_exclude text, grouping_cols text,
    num_trees integer, num_random_features integer, importance boolean, num_permutations integer,
    max_tree_depth integer, min_split integer, min_bucket integer, num_splits integer,
    null_handling_params text, verbose boolean, sample_ratio float8)
returns void language plpython3u volatile as $$
from dag_madlib import forest
forest.forest_train(training_table_name, output_table_name, id_col_name, dependent_variable,
                    list_of_features, list_of_features_to_exclude, grouping_cols, num_trees,
                    num_random_features, importance, num_permutations, max_tree_depth, min_split,
                    min_bucket, num_splits, null_handling_params, verbose, sample_ratio)
$$;

create or replace function madlib.forest_predict(
    model text, source text, output text, pred_type text)
returns void language plpython3u volatile as $$
from dag_madlib import predict
predict.forest_predict(model, source, output, pred_type)
$$;

create or replace function madlib.get_var_importance(model_table text, output_table text)
returns void language plpython3u volatile as $$
from dag_madlib import predict
predict.get_var_importance(model_table, output_table)
$$;

create or replace function madlib.pivot(
    source_table text, out_table text, index text, pivot_cols text, pivot_values text,
    aggregate_func text, fill_value text, keep_null boolean, output_col_dictionary boolean,
    output_type text)
returns void language plpython3u volatile as $$
from dag_madlib import pivot as module
module.pivot(source_table, out_table, index, pivot_cols, pivot_values, aggregate_func, fill_value,
             keep_null, output_col_dictionary, output_type)
$$;

create or replace function madlib.area_under_roc(
    table_in text, table_out text, prediction_col text, observed_col text, grouping_cols text)
returns void language plpython3u volatile as $$
from dag_madlib import metrics
metrics.area_under_roc(table_in, table_out, prediction_col, observed_col, grouping_cols)
$$;

create or replace function madlib.confusion_matrix(
    table_in text, table_out text, prediction_col text, observed_col text)
returns void language plpython3u volatile as $$
from dag_madlib import metrics
metrics.confusion_matrix(table_in, table_out, prediction_col, observed_col)
$$;
