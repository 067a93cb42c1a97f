/* Transaction control in SQL text. */
#include "definition/lint.h"
#include "tests/unit/test.h"

static const char *found(const char *sql)
{
    size_t offset;
    const char *statement = NULL;
    return sql_find_transaction_control(slice_of(sql), 0, &offset, &statement) ? statement : "";
}

TEST(transaction_control_is_found_at_the_start_of_a_statement)
{
    static const struct {
        const char *sql, *statement;
    } rows[] = {
        {"begin", "BEGIN"},
        {"BEGIN; select 1", "BEGIN"},
        {"select 1; commit;", "COMMIT"},
        {"select 1;\n  COMMIT AND CHAIN", "COMMIT"},
        {"-- x\nrollback", "ROLLBACK"},
        {"/* a /* b */ c */ abort", "ABORT"},
        {"END;", "END"},
        {"start transaction isolation level serializable", "START TRANSACTION"},
        {"prepare transaction 'x'", "PREPARE TRANSACTION"},
        {"rollback work", "ROLLBACK"},
        {"commit prepared 'x'", "COMMIT"},
        {"{% if x %}commit{% endif %}", "COMMIT"},
        {"{# note #}commit", "COMMIT"},
        {"select ';'; commit", "COMMIT"},
        {"select E'\\''; commit", "COMMIT"},
        {"select 'a\\'; commit", "COMMIT"},
        {"select $$ ; $$; commit", "COMMIT"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!CHECK_STR(found(rows[i].sql), rows[i].statement))
            printf("  of %s\n", rows[i].sql);
}

TEST(what_only_looks_like_transaction_control_is_left_alone)
{
    static const char *const rows[] = {"", "select 1", "savepoint a; release savepoint a",
        "rollback to a", "rollback to savepoint a", "rollback work to savepoint a",
        "prepare p as select 1", "select case when a then b end", "select '; commit;'",
        "select \"; commit;\"", "do $$ begin perform 1; commit; end $$", "do $x$ begin; commit $x$",
        "-- ; commit\nselect 1", "/* ; commit; */ select 1", "select beginning",
        "select commit from t", "select $1; select 2", "{{ x }} commit",
        "create table commit_log (a int)", "{% set a = '; commit' %} select 1", "endpoints",
        "select 'unclosed ; commit", "$tag ; select 1"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (!CHECK_STR(found(rows[i]), ""))
            printf("  of %s\n", rows[i]);
}

TEST(any_bytes_end_the_scan)
{
    static const char alphabet[] = "/*-'\"${}%#;\\ \nbegincommitE$x";
    uint64_t state = 7;
    for (int round = 0; round < 20000; round++) {
        char text[24];
        for (size_t i = 0; i < sizeof(text); i++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            text[i] = alphabet[(state >> 33) % (sizeof(alphabet) - 1)];
        }
        char *copy = mem_alloc(sizeof(text));
        memcpy(copy, text, sizeof(text));
        size_t offset = 0;
        const char *statement;
        bool hit =
            sql_find_transaction_control(slice_make(copy, sizeof(text)), 0, &offset, &statement);
        CHECK(!hit || offset < sizeof(text));
        mem_free(copy);
    }
}
