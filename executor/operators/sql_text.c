/* The texts of an attempt that are ours. */
#include <ctype.h>
#include <strings.h>

#include "executor/operators/sql_attempt.h"

static const char *const isolation_words[] = {
    [ISOLATION_DEFAULT] = "",
    [ISOLATION_READ_COMMITTED] = " ISOLATION LEVEL READ COMMITTED",
    [ISOLATION_REPEATABLE_READ] = " ISOLATION LEVEL REPEATABLE READ",
    [ISOLATION_SERIALIZABLE] = " ISOLATION LEVEL SERIALIZABLE",
};

static const char *set_word(const struct sql_attempt *s)
{
    return s->task->transaction ? "SET LOCAL" : "SET";
}

/* No timeout runs while a claim waits, and none ends the transaction while dag is busy. */
static void add_quiet(const struct sql_attempt *s, struct strbuf *out)
{
    const char *set = set_word(s);
    strbuf_printf(out,
        "%s search_path = pg_catalog; %s statement_timeout = 0;"
        " %s lock_timeout = 0; %s synchronous_commit = on; ",
        set, set, set, set);
    if (s->connection->dialect != DIALECT_GREENPLUM6)
        strbuf_printf(out, "%s idle_in_transaction_session_timeout = 0; ", set);
}

static char *to_arena(const struct sql_attempt *s, struct strbuf *text)
{
    char *copy = strbuf_to_arena(text, s->attempt->arena);
    strbuf_done(text);
    return copy;
}

char *sql_text_begin(const struct sql_attempt *s)
{
    struct strbuf text = {0};
    if (s->task->transaction)
        strbuf_printf(&text, "BEGIN%s READ %s; ", isolation_words[s->task->isolation],
            s->reader ? "ONLY" : "WRITE");
    strbuf_printf(
        &text, "%s application_name = '%s'; ", set_word(s), s->attempt->effect.attempt.text);
    /* The text was split with backslashes as plain characters. */
    strbuf_printf(&text, "%s standard_conforming_strings = on; ", set_word(s));
    add_quiet(s, &text);
    /* what only reads needs no number, and a standby has none to give */
    strbuf_printf(
        &text, "SELECT %s%s", s->reader ? "" : "pg_catalog.txid_current(), ", KEEPS_STATE_SQL);
    return to_arena(s, &text);
}

/* Settings whose value is a list of names: quoted as a whole they would be one name. */
static bool is_list(const char *name)
{
    static const char *const lists[] = {"search_path", "temp_tablespaces", "datestyle",
        "session_preload_libraries", "local_preload_libraries"};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        if (strcasecmp(lists[i], name) == 0)
            return true;
    }
    return false;
}

static void add_list(struct strbuf *out, const char *value, struct arena *arena)
{
    bool first = true;
    for (const char *p = value; p; first = false) {
        const char *comma = strchr(p, ',');
        struct slice item = slice_trim(slice_make(p, comma ? (size_t)(comma - p) : strlen(p)));
        if (item.size >= 2 && item.p[0] == '"' && item.p[item.size - 1] == '"')
            item = slice_make(item.p + 1, item.size - 2);
        strbuf_printf(out, "%s%s", first ? "" : ", ",
            sql_literal(arena, arena_strndup(arena, item.p, item.size)));
        p = comma ? comma + 1 : NULL;
    }
}

static bool is_setting_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && *name != '_' && *name != '.')
            return false;
    }
    return true;
}

static enum status add_setting(const struct sql_attempt *s, struct strbuf *out, const char *name,
    const char *value, struct error *err)
{
    struct arena *arena = s->attempt->arena;
    if (!is_setting_name(name))
        return error_set(err, ERR_INVALID, "`%s` is not the name of a setting", name);
    strbuf_printf(out, "%s %s TO ", set_word(s), name);
    if (is_list(name))
        add_list(out, value, arena);
    else
        strbuf_add_str(out, sql_literal(arena, value));
    strbuf_add_str(out, "; ");
    return OK;
}

/* As rendered; what has no template stands as it was written. */
static const char *setting_value(const struct sql_attempt *s, const struct named_text *setting)
{
    struct arena *arena = s->attempt->arena;
    const struct rendered *field =
        rendered_find(&s->attempt->rendered, arena_printf(arena, "settings.%s", setting->name));
    return field ? arena_strndup(arena, field->text.p, field->text.size) : setting->text.value;
}

static enum status add_settings(const struct sql_attempt *s, const struct named_texts *settings,
    struct strbuf *out, struct error *err)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct named_text *setting = &settings->at[i];
        enum status status = add_setting(s, out, setting->name, setting_value(s, setting), err);
        if (status)
            return status;
    }
    return OK;
}

enum status sql_text_settings(const struct sql_attempt *s, char **ret, struct error *err)
{
    struct strbuf text = {0};
    const char *set = set_word(s);
    strbuf_printf(&text,
        "%s search_path TO DEFAULT; %s statement_timeout TO DEFAULT;"
        " %s lock_timeout TO DEFAULT; ",
        set, set, set);
    enum status status = add_settings(s, &s->connection->settings, &text, err);
    if (status == OK)
        status = add_settings(s, &s->task->settings, &text, err);
    if (s->task->statement_timeout_us > 0)
        strbuf_printf(&text, "%s statement_timeout = %lld; ", set,
            (long long)((s->task->statement_timeout_us + 999) / US_PER_MS));
    if (status)
        strbuf_done(&text);
    else
        *ret = to_arena(s, &text);
    return status;
}

char *sql_text_close(const struct sql_attempt *s)
{
    struct strbuf text = {0};
    if (s->task->transaction)
        strbuf_add_str(&text, "SET CONSTRAINTS ALL IMMEDIATE; ");
    strbuf_add_str(&text, "RESET ROLE; RESET SESSION AUTHORIZATION; ");
    add_quiet(s, &text);
    if (sql_touches_tables(s))
        strbuf_printf(&text, "%s; ", sql_touched_text(s));
    strbuf_add_str(&text, "SELECT pg_catalog.txid_current()");
    return to_arena(s, &text);
}
