/* Finds transaction control in SQL text, without parsing it: only the first word of a statement
   matters, and everything that is not a statement's own text is passed over. */
#include <ctype.h>
#include <strings.h>
#include "definition/lint.h"

struct scan {
    struct slice text;
    size_t at;
};

static bool looking_at(const struct scan *s, const char *word)
{
    size_t size = strlen(word);
    return s->text.size - s->at >= size && memcmp(s->text.p + s->at, word, size) == 0;
}

static void skip_past(struct scan *s, const char *end)
{
    while (s->at < s->text.size && !looking_at(s, end))
        s->at++;
    s->at += s->at < s->text.size ? strlen(end) : 0;
}

/* Block comments nest in PostgreSQL. */
static void skip_comment(struct scan *s)
{
    unsigned depth = 0;
    do {
        if (looking_at(s, "/*")) {
            depth++;
            s->at += 2;
        } else if (looking_at(s, "*/")) {
            depth--;
            s->at += 2;
        } else
            s->at++;
    } while (depth && s->at < s->text.size);
}

static void skip_quoted(struct scan *s, char quote, bool escapes)
{
    for (s->at++; s->at < s->text.size; s->at++) {
        if (escapes && s->text.p[s->at] == '\\')
            s->at++;
        else if (s->text.p[s->at] == quote) {
            s->at++;
            return;
        }
    }
    s->at = s->text.size;
}

/* $tag$ … $tag$; a lone $ is passed over. */
static void skip_dollar(struct scan *s)
{
    size_t end = s->at + 1;
    while (end < s->text.size && (isalnum((unsigned char)s->text.p[end]) || s->text.p[end] == '_'))
        end++;
    char tag[66];
    size_t size = end - s->at + 1;
    s->at++;
    if (end >= s->text.size || s->text.p[end] != '$' || size >= sizeof(tag))
        return;
    memcpy(tag, s->text.p + s->at - 1, size);
    tag[size] = '\0';
    s->at = end + 1;
    skip_past(s, tag);
}

/* Passes over what is no statement's own text; false when the text goes on with a statement. */
static bool skip_foreign(struct scan *s)
{
    char c = s->text.p[s->at], next = s->at + 1 < s->text.size ? s->text.p[s->at + 1] : '\0';
    if (c == '-' && next == '-')
        skip_past(s, "\n");
    else if (c == '/' && next == '*')
        skip_comment(s);
    else if (c == '{' && next == '#')
        skip_past(s, "#}");
    else if (c == '{' && next == '%')
        skip_past(s, "%}");
    else if (c == '{' && next == '{')
        skip_past(s, "}}");
    else if (c == '\'')
        skip_quoted(s, '\'', s->at > 0 && (s->text.p[s->at - 1] | 0x20) == 'e');
    else if (c == '"')
        skip_quoted(s, '"', false);
    else if (c == '$')
        skip_dollar(s);
    else
        return false;
    return true;
}

/* Behind what a statement goes on with: nothing in there can begin something else. */
static void skip_plain(struct scan *s)
{
    static const bool stops[256] = {['\''] = true,
        ['"'] = true,
        ['$'] = true,
        ['-'] = true,
        ['/'] = true,
        ['{'] = true,
        [';'] = true};
    while (s->at < s->text.size && !stops[(unsigned char)s->text.p[s->at]])
        s->at++;
}

static struct slice next_word(const struct scan *s, size_t from)
{
    while (from < s->text.size && isspace((unsigned char)s->text.p[from]))
        from++;
    size_t end = from;
    while (end < s->text.size && (isalnum((unsigned char)s->text.p[end]) || s->text.p[end] == '_'))
        end++;
    return slice_make(s->text.p + from, end - from);
}

static bool is_word(struct slice word, const char *name)
{
    return word.size == strlen(name) && strncasecmp(word.p, name, word.size) == 0;
}

/* The statement that begins with this word, NULL when it controls no transaction. */
static const char *control_statement(const struct scan *s, struct slice word)
{
    static const struct {
        const char *first, *second, *unless, *name;
    } rows[] = {
        {"begin", NULL, NULL, "BEGIN"},
        {"start", "transaction", NULL, "START TRANSACTION"},
        {"commit", NULL, NULL, "COMMIT"},
        {"end", NULL, NULL, "END"},
        {"abort", NULL, NULL, "ABORT"},
        /* ROLLBACK TO a savepoint is fine. */
        {"rollback", NULL, "to", "ROLLBACK"},
        {"prepare", "transaction", NULL, "PREPARE TRANSACTION"},
    };
    struct slice second = next_word(s, (size_t)(word.p - s->text.p) + word.size);
    if (is_word(word, "rollback") && (is_word(second, "work") || is_word(second, "transaction"))) {
        struct slice third = next_word(s, (size_t)(second.p - s->text.p) + second.size);
        return is_word(third, "to") ? NULL : "ROLLBACK";
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (is_word(word, rows[i].first) && (!rows[i].second || is_word(second, rows[i].second)) &&
            (!rows[i].unless || !is_word(second, rows[i].unless)))
            return rows[i].name;
    return NULL;
}

bool sql_find_transaction_control(
    struct slice sql, size_t from, size_t *ret_offset, const char **ret_statement)
{
    struct scan s = {sql, from};
    bool at_start = true;
    while (s.at < sql.size) {
        char c = sql.p[s.at];
        if (c == '{' && looking_at(&s, "{{"))
            at_start = false; /* what it prints may be a statement's beginning */
        if (skip_foreign(&s))
            continue;
        if (isspace((unsigned char)c) || c == ';') {
            at_start |= c == ';';
            s.at++;
            continue;
        }
        struct slice word = at_start ? next_word(&s, s.at) : (struct slice){0};
        const char *statement = word.size ? control_statement(&s, word) : NULL;
        if (statement) {
            *ret_offset = s.at;
            *ret_statement = statement;
            return true;
        }
        at_start = false;
        s.at++;
        skip_plain(&s);
    }
    return false;
}
