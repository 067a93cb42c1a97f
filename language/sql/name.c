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

/* A plain word in lower case and quoted; a quoted one as it is. */
static void add_part(struct slice name, struct sql_token token, struct strbuf *out)
{
    bool quoted = token.kind == SQL_QUOTED;
    if (!quoted)
        strbuf_add_char(out, '"');
    for (size_t i = 0; i < token.size; i++) {
        unsigned char c = (unsigned char)name.p[token.offset + i];
        strbuf_add_char(out, (char)(quoted || c >= 0x80 ? c : tolower(c)));
    }
    if (!quoted)
        strbuf_add_char(out, '"');
}

static char *quoted(struct slice name, unsigned parts_max, struct arena *arena)
{
    struct strbuf out = {.arena = arena};
    size_t position = 0;
    for (unsigned part = 1; part <= parts_max; part++) {
        struct sql_token token = sql_lex(name, &position);
        bool empty = token.kind == SQL_QUOTED && token.size == 2;
        if ((token.kind != SQL_WORD && token.kind != SQL_QUOTED) || empty)
            return NULL;
        add_part(name, token, &out);
        token = sql_lex(name, &position);
        if (token.kind == SQL_END)
            return (char *)strbuf_finish(&out, arena).p;
        if (token.kind != SQL_OTHER || name.p[token.offset] != '.')
            return NULL;
        strbuf_add_char(&out, '.');
    }
    return NULL;
}

char *sql_name_quoted(struct slice name, struct arena *arena)
{
    return quoted(name, 3, arena);
}

char *sql_column_quoted(struct slice name, struct arena *arena)
{
    char *as_sql = quoted(name, 1, arena);
    return as_sql ? as_sql : sql_identifier(arena, arena_strndup(arena, name.p, name.size));
}
