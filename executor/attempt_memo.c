#include "executor/attempt_memo.h"

#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "executor/attempt_log.h"

enum {
    /* Bytes.  What is written below is a few hundred. */
    MEMO_MAX = 16 * 1024,
    /* Files looked for when an attempt begins: more attempts than one generation has in earnest. */
    MEMOS_LOOKED_AT = 50,
};

enum status attempt_memo_write(const char *path, const struct attempt_memo *memo, struct error *err)
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
    strbuf_add_char(&text, '\n');
    enum status status = attempt_file_put(path, slice_make(strbuf_text(&text), text.size), err);
    strbuf_done(&text);
    return status;
}

static void copy_uuid(char to[UUID_TEXT_SIZE], const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(to, UUID_TEXT_SIZE, "%s", text ? text : "");
}

enum status attempt_memo_read(
    const char *path, struct arena *arena, struct attempt_memo *ret, struct error *err)
{
    struct slice text;
    CLEANUP(json_decrefp) json_t *tree = NULL;
    enum status status = file_read(path, MEMO_MAX, arena, &text, err);
    if (status == OK)
        status = json_parse(text.p, text.size, path, &tree, err);
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

bool attempt_memo_pinned(const char *folder, int32_t number, int64_t generation,
    struct arena *arena, struct attempt_memo *ret)
{
    /* The attempts of a generation have numbers in a row; few of them leave no memo. */
    for (int32_t n = number - 1; n >= 1 && n >= number - MEMOS_LOOKED_AT; n--) {
        struct attempt_memo memo;
        const char *path = arena_printf(arena, "%s/%d.json", folder, (int)n);
        if (attempt_memo_read(path, arena, &memo, NULL))
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
