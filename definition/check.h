/* Checks of SQL tasks: how many rows one asks for, and of which table. */
#ifndef DEFINITION_CHECK_H
#define DEFINITION_CHECK_H

#include "base/error.h"
#include "base/string.h"
#include "definition/model/model.h"

enum check_comparison {
    CHECK_EQUAL,
    CHECK_NOT_EQUAL,
    CHECK_AT_LEAST,
    CHECK_AT_MOST,
    CHECK_MORE,
    CHECK_LESS
};
struct check_count {
    enum check_comparison comparison;
    int64_t count;
};

/* "> 0", ">= 10", "= 5", "!= 3"; a number alone must be met exactly.  ERR_VALUE_RANGE for anything
   else, with a hint. */
enum status check_count_read(
    struct slice text, struct check_count *ret, struct error *err) MUST_CHECK;
bool check_count_holds(const struct check_count *count, int64_t rows);

/* The only table that a task's SQL, as it was rendered, or its `writes` name: as SQL writes it, in
   the arena.  Those that are temporary, or dropped again, do not count.  ERR_KEY_MISSING when there
   is none, or several. */
enum status check_only_table(const struct project *project, const struct task *task,
    struct slice sql, struct arena *arena, const char **ret_table, struct error *err) MUST_CHECK;

#endif
