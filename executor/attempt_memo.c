#include "executor/attempt_memo.h"

#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "executor/limits.h"

enum {
    /* Bytes of a log: a supervisor and a daemon may both write its last lines. */
    LOG_READ_MAX = 2 * ATTEMPT_LOG_MAX,
    /* Logs looked for when an attempt begins: more attempts than one generation has in earnest. */
    MEMOS_LOOKED_AT = 50,
    /* Whose parts are looked for: each means reading a log. */
    EARLIER_LOOKED_AT = 5,
};

enum status attempt_memo_write(
    struct attempt_log *log, const struct attempt_memo *memo, struct error *err)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "attempt", memo->attempt);
    json_kv_str(&w, "operator", memo->operator);
    json_kv_int(&w, "generation", memo->generation);
    json_kv_str(&w, "connection", memo->connection);
    json_kv_str(&w, "ledger", memo->ledger_id);
    json_kv_bool(&w, "commit_sent", memo->commit_sent);
    json_kv_int(&w, "started_us", memo->started_us);
    json_object_end(&w);
    enum status status = attempt_log_note(log, slice_make(strbuf_text(&text), text.size), err);
    strbuf_done(&text);
    return status;
}

static void copy_uuid(char to[UUID_TEXT_SIZE], const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(to, UUID_TEXT_SIZE, "%s", text ? text : "");
}

/* The text of the last memo: behind "HH:MM:SS.mmm memo ". */
static struct slice last_memo(struct slice log)
{
    static const char kind[] = " memo {";
    enum { TIME_SIZE = 12 };
    struct slice found = {0};
    for (size_t at = 0; at < log.size;) {
        const char *line = log.p + at;
        const char *end = memchr(line, '\n', log.size - at);
        size_t size = end ? (size_t)(end - line) : 0; /* a torn line is none */
        if (size > TIME_SIZE + sizeof(kind) &&
            memcmp(line + TIME_SIZE, kind, sizeof(kind) - 1) == 0)
            found = slice_make(
                line + TIME_SIZE + sizeof(kind) - 2, size - TIME_SIZE - sizeof(kind) + 2);
        at = end ? at + size + 1 : log.size;
    }
    return found;
}

enum status attempt_memo_read(
    const char *log_file, struct arena *arena, struct attempt_memo *ret, struct error *err)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new();
    CLEANUP(json_decrefp) json_t *tree = NULL;
    struct slice log;
    enum status status = file_read(log_file, LOG_READ_MAX, scratch, &log, err);
    if (status)
        return status;
    struct slice text = last_memo(log);
    if (!text.size)
        return error_set(err, ERR_NOT_FOUND, "%s has no memo", log_file);
    status = json_parse(text.p, text.size, log_file, &tree, err);
    if (status)
        return status;
    *ret = (struct attempt_memo){
        .operator= arena_strdup(arena, json_string_value(json_object_get(tree, "operator"))),
        .generation = json_integer_value(json_object_get(tree, "generation")),
        .connection = arena_strdup(arena, json_string_value(json_object_get(tree, "connection"))),
        .commit_sent = json_is_true(json_object_get(tree, "commit_sent")),
        .started_us = json_integer_value(json_object_get(tree, "started_us")),
    };
    copy_uuid(ret->attempt, tree, "attempt");
    copy_uuid(ret->ledger_id, tree, "ledger");
    return OK;
}

bool attempt_memo_pinned(const char *log_file, int32_t number, int64_t generation,
    struct arena *arena, struct attempt_memo *ret)
{
    /* The attempts of a generation have numbers in a row; few of them leave no memo. */
    for (int32_t n = number - 1; n >= 1 && n >= number - MEMOS_LOOKED_AT; n--) {
        struct attempt_memo memo;
        if (attempt_memo_read(attempt_log_of(arena, log_file, n), arena, &memo, NULL))
            continue;
        if (memo.generation != generation)
            return false;
        if (memo.ledger_id[0]) {
            *ret = memo;
            return true;
        }
    }
    return false;
}

size_t attempt_memo_earlier(
    const char *log_file, int32_t number, struct arena *arena, const char *const **ret)
{
    const char **ids = arena_array(arena, const char *, EARLIER_LOOKED_AT);
    size_t count = 0;
    for (int32_t n = number - 1; n >= 1 && n >= number - EARLIER_LOOKED_AT; n--) {
        struct attempt_memo memo;
        if (attempt_memo_read(attempt_log_of(arena, log_file, n), arena, &memo, NULL) == OK)
            ids[count++] = arena_strdup(arena, memo.attempt);
    }
    *ret = ids;
    return count;
}
