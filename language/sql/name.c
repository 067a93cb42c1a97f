#include "language/sql/name.h"

#include <ctype.h>

#include "language/sql/lex.h"

char *sql_literal(struct arena *arena, const char *text)
{
    struct strbuf out = {.arena = arena};
    bool backslash = strchr(text, '\\') != NULL;
    strbuf_add_str(&out, backslash ? "E'" : "'");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            strbuf_add_char(&out, *text);
        strbuf_add_char(&out, *text);
    }
    strbuf_add_char(&out, '\'');
    return (char *)strbuf_finish(&out, arena).p;
}

char *sql_identifier(struct arena *arena, const char *name)
{
    struct strbuf out = {.arena = arena};
    strbuf_add_char(&out, '"');
    for (; *name; name++) {
        if (*name == '"')
            strbuf_add_char(&out, '"');
        strbuf_add_char(&out, *name);
    }
    strbuf_add_char(&out, '"');
    return (char *)strbuf_finish(&out, arena).p;
}

/* A word in lower case, a quoted one without its quotes; NULL for anything else. */
static const char *read_part(struct slice name, struct sql_token token, struct arena *arena)
{
    bool quoted = token.kind == SQL_QUOTED;
    if (!quoted && token.kind != SQL_WORD)
        return NULL;
    char *part = arena_strndup(arena, name.p + token.offset + quoted, token.size - 2 * quoted);
    char *to = part;
    for (const char *from = part; *from; from++) {
        unsigned char c = (unsigned char)*from;
        *to++ = (char)(quoted || c >= 0x80 ? c : tolower(c));
        from += quoted && *from == '"'; /* one of two */
    }
    *to = '\0';
    return *part ? part : NULL;
}

size_t sql_name_parts(
    struct slice name, struct arena *arena, const char *ret_parts[SQL_NAME_PARTS_MAX])
{
    size_t position = 0;
    for (size_t count = 1; count <= SQL_NAME_PARTS_MAX; count++) {
        ret_parts[count - 1] = read_part(name, sql_lex(name, &position), arena);
        if (!ret_parts[count - 1])
            return 0;
        struct sql_token token = sql_lex(name, &position);
        if (token.kind == SQL_END)
            return count;
        if (token.kind != SQL_OTHER || name.p[token.offset] != '.')
            return 0;
    }
    return 0;
}

bool sql_name_is_plain(const char *name)
{
    bool plain = islower((unsigned char)*name) || *name == '_' || (unsigned char)*name >= 0x80;
    for (const char *p = name; *p; p++)
        plain &= islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '_' ||
                 (unsigned char)*p >= 0x80;
    return plain;
}

char *sql_name_quoted(struct slice name, struct arena *arena)
{
    const char *parts[SQL_NAME_PARTS_MAX];
    size_t count = sql_name_parts(name, arena, parts);
    struct strbuf out = {.arena = arena};
    for (size_t i = 0; i < count; i++)
        strbuf_printf(&out, "%s%s", i ? "." : "", sql_identifier(arena, parts[i]));
    return count ? (char *)strbuf_finish(&out, arena).p : NULL;
}

char *sql_column_quoted(struct slice name, struct arena *arena)
{
    const char *parts[SQL_NAME_PARTS_MAX];
    bool as_sql = sql_name_parts(name, arena, parts) == 1;
    return sql_identifier(arena, as_sql ? parts[0] : arena_strndup(arena, name.p, name.size));
}
