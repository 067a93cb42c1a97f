"""The help that `f()` and `f('usage')` return."""

from dag_madlib import VERSION

TEXTS = {
    # function: (what it does, its arguments, its output)
    "train_test_split": (
        "Divides the rows of a table at random into a training part and a test part.",
        ["source_table", "output_table", "train_proportion", "test_proportion", "grouping_cols",
         "target_cols", "with_replacement", "separate_output_tables"],
        "<output_table>_train and _test, or <output_table> with a column `split`"),
    "forest_train": (
        "Trains a random forest.",
        ["training_table_name", "output_table_name", "id_col_name", "dependent_variable",
         "list_of_features", "list_of_features_to_exclude", "grouping_cols", "num_trees",
         "num_random_features", "importance", "num_permutations", "max_tree_depth", "min_split",
         "min_bucket", "num_splits", "null_handling_params", "verbose", "sample_ratio"],
        "<output_table_name>, _group and _summary"),
    "forest_predict": (
        "Applies a trained random forest to the rows of a table.",
        ["model", "source", "output", "pred_type"],
        "<output>: the id, and estimated_<dependent> or estimated_prob_<level>"),
    "get_var_importance": (
        "Writes how much each feature matters to a trained random forest, in percent.",
        ["model_table", "output_table"],
        "<output_table>: feature, oob_var_importance, impurity_var_importance"),
    "pivot": (
        "Turns rows into columns.",
        ["source_table", "out_table", "index", "pivot_cols", "pivot_values", "aggregate_func",
         "fill_value", "keep_null", "output_col_dictionary", "output_type"],
        "<out_table>, and <out_table>_dictionary when names are too long"),
    "area_under_roc": (
        "The area under the ROC curve of a score against what was observed.",
        ["table_in", "table_out", "prediction_col", "observed_col", "grouping_cols"],
        "<table_out>: area_under_roc"),
    "confusion_matrix": (
        "Counts each pair of observed and predicted class.",
        ["table_in", "table_out", "prediction_col", "observed_col"],
        "<table_out>: row_id, class, confusion_arr"),
}


def usage(function, message):
    summary, arguments, output = TEXTS[function]
    text = f"{summary}\n({VERSION})\n"
    if (message or "").strip().lower() in ("usage", "help", "?"):
        listed = ",\n    ".join(arguments)
        return f"{text}\nSELECT madlib.{function}(\n    {listed}\n);\n\nOutput: {output}\n"
    return f"{text}\nFor the arguments: SELECT madlib.{function}('usage');\n"
