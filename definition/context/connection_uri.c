#include "definition/context/connection_uri.h"

#include <ctype.h>
#include "base/string.h"

static int digit_of(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* A percent-decoded copy; NULL for nothing. */
static const char *decode(struct arena *arena, struct slice s)
{
    char *out = arena_strndup(arena, s.p ? s.p : "", s.size);
    size_t n = 0;
    for (size_t i = 0; i < s.size; i++) {
        bool coded = s.p[i] == '%' && i + 2 < s.size && isxdigit((unsigned char)s.p[i + 1]) &&
                     isxdigit((unsigned char)s.p[i + 2]);
        out[n++] = coded ? (char)(digit_of(s.p[i + 1]) * 16 + digit_of(s.p[i + 2])) : s.p[i];
        i += coded ? 2 : 0;
    }
    out[n] = '\0';
    return n && utf8_valid(out, n, NULL) ? out : NULL;
}

/* What stands before the first of `stops`, which is taken off `rest` together with it. */
static struct slice before(struct slice *rest, const char *stops, char *ret_stop)
{
    size_t n = 0;
    while (n < rest->size && !strchr(stops, rest->p[n]))
        n++;
    struct slice part = {rest->p, n};
    *ret_stop = n < rest->size ? rest->p[n] : '\0';
    size_t used = n + (n < rest->size);
    *rest = slice_make(rest->p + used, rest->size - used);
    return part;
}

static int port_of(const char *text)
{
    int64_t port = 0;
    return text && parse_int64(slice_of(text), &port) && port > 0 && port < 65536 ? (int)port : 0;
}

/* Puts a parameter where it belongs; all others are extra. */
static void put(struct connection_parts *parts, const char *key, const char *value)
{
    if (!key || !value)
        return;
    if (str_equal(key, "host"))
        parts->host = value;
    else if (str_equal(key, "port"))
        parts->port = port_of(value);
    else if (str_equal(key, "user"))
        parts->login = value;
    else if (str_equal(key, "password"))
        parts->password = value;
    else if (str_equal(key, "dbname"))
        parts->database = value;
    else
        json_object_set_new(parts->extra, key, json_string(value));
}

static void parse_hosts(struct arena *arena, struct slice hosts, struct connection_parts *parts)
{
    char stop;
    struct slice first = before(&hosts, ",", &stop);
    size_t bracket = first.size;
    while (first.size && first.p[0] == '[' && bracket && first.p[bracket - 1] != ']')
        bracket--;
    if (first.size && first.p[0] == '[' && bracket) {
        parts->host = decode(arena, slice_make(first.p + 1, bracket - 2));
        first = slice_make(first.p + bracket, first.size - bracket);
    } else {
        parts->host = decode(arena, before(&first, ":", &stop));
        parts->port = port_of(decode(arena, first));
        return;
    }
    if (first.size > 1)
        parts->port = port_of(decode(arena, slice_make(first.p + 1, first.size - 1)));
}

static void parse_uri(struct arena *arena, struct slice rest, struct connection_parts *parts)
{
    char stop;
    struct slice authority = before(&rest, "/?", &stop);
    const char *at = memrchr(authority.p, '@', authority.size);
    if (at) {
        struct slice user = {authority.p, (size_t)(at - authority.p)};
        authority = slice_make(at + 1, authority.size - user.size - 1);
        char colon;
        parts->login = decode(arena, before(&user, ":", &colon));
        parts->password = decode(arena, user);
    }
    parse_hosts(arena, authority, parts);
    if (stop == '/')
        parts->database = decode(arena, before(&rest, "?", &stop));
    while (rest.size) {
        struct slice pair = before(&rest, "&", &stop);
        const char *key = decode(arena, before(&pair, "=", &stop));
        put(parts, key, decode(arena, pair));
    }
}

/* A value of a conninfo text: bare or in single quotes, with backslashes. */
static const char *read_value(struct arena *arena, const char **at)
{
    const char *p = *at;
    bool quoted = *p == '\'';
    char *out = arena_strdup(arena, p);
    size_t n = 0;
    p += quoted;
    while (*p && (quoted ? *p != '\'' : !isspace((unsigned char)*p))) {
        p += *p == '\\' && p[1];
        out[n++] = *p++;
    }
    *at = p + (quoted && *p);
    out[n] = '\0';
    return n && utf8_valid(out, n, NULL) ? out : NULL;
}

static void parse_conninfo(struct arena *arena, const char *p, struct connection_parts *parts)
{
    while (*p) {
        while (isspace((unsigned char)*p))
            p++;
        const char *start = p;
        while (*p && *p != '=' && !isspace((unsigned char)*p))
            p++;
        const char *key = arena_strndup(arena, start, (size_t)(p - start));
        while (isspace((unsigned char)*p))
            p++;
        if (*p != '=')
            return;
        p++;
        while (isspace((unsigned char)*p))
            p++;
        put(parts, key, read_value(arena, &p));
    }
}

void connection_uri_parse(struct arena *arena, const char *text, struct connection_parts *ret)
{
    *ret = (struct connection_parts){.type = "postgres", .extra = json_object()};
    const char *rest = text ? strstr(text, "://") : NULL;
    if (!rest) {
        parse_conninfo(arena, text ? text : "", ret);
        return;
    }
    const char *scheme = arena_strndup(arena, text, (size_t)(rest - text));
    if (!str_equal(scheme, "postgresql"))
        ret->type = scheme;
    parse_uri(arena, slice_of(rest + 3), ret);
}
