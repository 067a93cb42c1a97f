#include <libpq-fe.h>
#include <ctype.h>

#include "base/file.h"
#include "base/secrets.h"
#include "executor/target/address.h"
#include "definition/context/connection_uri.h"
#include "definition/project.h"

/* libpq repeats the address, or a part of it. */
static void complain(const char *uri, struct slice message, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct connection_parts parts;
    struct secrets secrets = {0};
    connection_uri_parse(arena, uri, &parts);
    const char *from = strstr(uri, "://"), *at = from ? strrchr(from, '@') : NULL;
    const char *colon = at ? memchr(from + 3, ':', (size_t)(at - from - 3)) : NULL;
    if (colon)
        secrets_add(&secrets, slice_make(colon + 1, (size_t)(at - colon - 1)));
    if (parts.password)
        secrets_add(&secrets, slice_of(parts.password));
    json_decref(parts.extra);
    const char *text = arena_strndup(arena, message.p, message.size);
    const char *found = strstr(text, uri);
    if (found)
        text = arena_printf(arena, "%.*s%s%s", (int)(found - text), text,
            connection_uri_shown(arena, uri), found + strlen(uri));
    error_set(err, ERR_INVALID, "%s", text);
    secrets_mask_error(&secrets, err);
    secrets_done(&secrets);
}

bool address_valid(const char *uri, struct error *err)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(uri, &message);
    bool valid = options != NULL;
    /* libpq takes a text without any `=` for a name of a database. */
    if (valid && !strstr(uri, "://") && !strchr(uri, '=')) {
        error_set(err, ERR_INVALID, "`%s` is neither a URI nor NAME=VALUE", uri);
        valid = false;
    } else if (!valid) {
        struct slice text = slice_trim(slice_of(message ? message : "out of memory"));
        complain(uri, text, err);
    }
    PQconninfoFree(options);
    PQfreemem(message);
    return valid;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void add_encoded(struct strbuf *out, const char *text)
{
    static const char plain[] = "-._~";
    for (const char *p = text; *p; p++) {
        if (isalnum((unsigned char)*p) || strchr(plain, *p))
            strbuf_add_char(out, *p);
        else
            strbuf_printf(out, "%%%02X", (unsigned char)*p);
    }
}

static const char *member(struct arena *arena, const json_t *value, const char *key)
{
    const json_t *found = json_object_get(value, key);
    if (json_is_integer(found))
        return arena_printf(arena, "%lld", (long long)json_integer_value(found));
    const char *text = json_string_value(found);
    return text && *text ? text : NULL;
}

static bool is_postgres(const char *type)
{
    static const char *const types[] = {"postgres", "postgresql", "greenplum"};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (type && strcasecmp(type, types[i]) == 0)
            return true;
    return false;
}

static enum status not_postgres(const char *name, const char *type, struct error *err)
{
    error_set(err, ERR_INVALID, "connection `%s` is of type `%s`", name, type ? type : "");
    error_hint(err, "dag connects to PostgreSQL and Greenplum (conn_type postgres): take it out");
    return ERR_INVALID;
}

/* Airflow's own keys of `extra` that libpq does not know. */
static bool is_airflow_extra(const char *key)
{
    static const char *const keys[] = {"iam", "aws_conn_id", "redshift", "cursor", "region",
        "sqlalchemy_scheme", "sqlalchemy_query", "cluster-identifier", "workgroup-name",
        "enable_log_db_messages", "azure_conn_id"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (str_equal(key, keys[i]))
            return true;
    return str_starts(key, "extra__") || str_equal(key, "__extra__");
}

static void add_extra(struct arena *arena, struct strbuf *out, const json_t *extra)
{
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)extra, key, value)
    {
        const char *text = member(arena, extra, key);
        if (!text || is_airflow_extra(key))
            continue;
        strbuf_add_char(out, first ? '?' : '&');
        add_encoded(out, key);
        strbuf_add_char(out, '=');
        add_encoded(out, text);
        first = false;
    }
}

/* host, or host:port, or a list of them: what libpq's URIs have between @ and /. */
static void add_hosts(struct strbuf *out, const char *host, const char *port)
{
    for (const char *p = host; p && *p; p += *p == ',') {
        char one[256];
        size_t size = strcspn(p, ",");
        snprintf(one, sizeof(one), "%.*s", (int)size, p);
        bool v6 = strchr(one, ':') && strchr(one, ':') != strrchr(one, ':');
        if (p != host)
            strbuf_add_char(out, ',');
        if (v6 || strchr(one, ':'))
            strbuf_printf(out, v6 && one[0] != '[' ? "[%s]" : "%s", one);
        else
            add_encoded(out, one);
        if (port && (!strchr(one, ':') || v6))
            strbuf_printf(out, ":%s", port);
        p += size;
    }
}

static enum status read_object(
    struct arena *arena, const char *name, const json_t *value, const char **ret, struct error *err)
{
    const char *uri = member(arena, value, "uri"), *login = member(arena, value, "login");
    if (uri && !json_object_get(value, "conn_type")) {
        *ret = uri;
        return OK;
    }
    if (!is_postgres(member(arena, value, "conn_type")))
        return not_postgres(name, member(arena, value, "conn_type"), err);
    struct strbuf out = {0};
    strbuf_add_str(&out, "postgresql://");
    if (login)
        add_encoded(&out, login);
    if (member(arena, value, "password")) {
        strbuf_add_char(&out, ':');
        add_encoded(&out, member(arena, value, "password"));
    }
    if (out.text[out.size - 1] != '/')
        strbuf_add_char(&out, '@');
    add_hosts(&out, member(arena, value, "host"), member(arena, value, "port"));
    strbuf_add_char(&out, '/');
    if (member(arena, value, "schema"))
        add_encoded(&out, member(arena, value, "schema"));
    const json_t *extra = json_object_get(value, "extra");
    CLEANUP(json_decrefp) json_t *parsed = NULL;
    const char *text = json_string_value(extra);
    if (text && *text) {
        if (json_parse(text, strlen(text), NULL, &parsed, err) != OK) {
            strbuf_done(&out);
            return error_context(err, "`extra` of connection `%s`: ", name);
        }
        extra = parsed;
    }
    if (json_is_object(extra))
        add_extra(arena, &out, extra);
    *ret = strbuf_to_arena(&out, arena);
    strbuf_done(&out);
    return OK;
}

enum status address_read(
    struct arena *arena, const char *name, const json_t *value, const char **ret, struct error *err)
{
    const char *text = json_string_value(value);
    if (!text && !json_is_object(value))
        return error_set(err, ERR_INVALID, "connection `%s` is neither a URI nor an object", name);
    if (text && text[0] == '{') {
        CLEANUP(json_decrefp) json_t *tree = NULL;
        enum status status = json_parse(text, strlen(text), NULL, &tree, err);
        return status == OK ? read_object(arena, name, tree, ret, err)
                            : error_context(err, "connection `%s`: ", name);
    }
    if (!text)
        return read_object(arena, name, value, ret, err);
    const char *rest = strstr(text, "://");
    if (!rest) {
        *ret = text; /* a conninfo text */
        return OK;
    }
    const char *scheme = arena_strndup(arena, text, (size_t)(rest - text));
    if (!is_postgres(scheme))
        return not_postgres(name, scheme, err);
    *ret = arena_printf(arena, "postgresql%s", rest);
    return OK;
}

static const char *env_name(struct arena *arena, struct slice name)
{
    static const char prefix[] = "AIRFLOW_CONN_";
    char *copy = arena_strndup(arena, name.p, name.size);
    if (!str_starts(copy, prefix))
        return copy;
    copy += strlen(prefix);
    for (char *p = copy; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return copy;
}

enum status address_read_env(struct arena *arena, const char *path, json_t **ret, struct error *err)
{
    struct slice text;
    enum status status = file_read(path, 1 << 20, arena, &text, err);
    if (status != OK)
        return status;
    json_t *tree = json_object();
    uint32_t number = 0;
    for (size_t at = 0; at < text.size;) {
        const char *end = memchr(text.p + at, '\n', text.size - at);
        size_t size = end ? (size_t)(end - (text.p + at)) : text.size - at;
        struct slice line = slice_trim(slice_make(text.p + at, size));
        at += size + 1;
        number++;
        const char *equals = line.size ? memchr(line.p, '=', line.size) : NULL;
        if (!line.size || line.p[0] == '#')
            continue;
        if (!equals) {
            json_decref(tree);
            error_set(err, ERR_INVALID, "this line is not NAME=URI");
            error_place(err, path, number, 1, NULL);
            return ERR_INVALID;
        }
        const char *value =
            arena_strndup(arena, equals + 1, line.size - (size_t)(equals + 1 - line.p));
        const char *name = env_name(arena, slice_make(line.p, (size_t)(equals - line.p)));
        json_object_set_new(tree, name, json_string(value));
    }
    *ret = tree;
    return OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void set_text(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, value ? json_string(value) : json_null());
}

/* The hosts as they stand in the address: a list is more than parts can tell. */
static const char *option(const PQconninfoOption *options, const char *key)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++)
        if (str_equal(o->keyword, key))
            return o->val && *o->val ? o->val : NULL;
    return NULL;
}

static bool is_part(const char *key)
{
    static const char *const keys[] = {"host", "port", "user", "password", "dbname"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (str_equal(key, keys[i]))
            return true;
    return false;
}

static const char *extra_text(
    struct arena *arena, const PQconninfoOption *options, bool secrets, bool *hidden)
{
    CLEANUP(json_decrefp) json_t *extra = json_object();
    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        bool secret = strchr(o->dispchar, '*') != NULL;
        if (!o->val || !*o->val || is_part(o->keyword))
            continue;
        if (secret && !secrets)
            *hidden = true;
        else
            json_object_set_new(extra, o->keyword, json_string(o->val));
    }
    if (!json_object_size(extra))
        return NULL;
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_tree(&w, extra);
    const char *copy = strbuf_to_arena(&text, arena);
    strbuf_done(&text);
    return copy;
}

json_t *address_write(struct arena *arena, const char *uri, bool secrets, bool *ret_hidden)
{
    PQconninfoOption *options = PQconninfoParse(uri, NULL);
    json_t *object = json_object();
    const char *password = option(options, "password"), *port = option(options, "port");
    int64_t number = 0;
    bool one_port = port && parse_int64(slice_of(port), &number);
    const char *host = option(options, "host");
    if (host && port && !one_port) { /* a port for each host */
        struct strbuf hosts = {0};
        for (const char *h = host, *p = port; *h; h += *h == ',', p += *p == ',') {
            size_t size = strcspn(h, ","), digits = strcspn(p, ",");
            strbuf_printf(&hosts, "%s%.*s:%.*s", hosts.size ? "," : "", (int)size, h,
                digits ? (int)digits : 4, digits ? p : "5432");
            h += size;
            p += digits;
        }
        host = strbuf_to_arena(&hosts, arena);
        strbuf_done(&hosts);
    }
    *ret_hidden = password && !secrets;
    set_text(object, "conn_type", "postgres");
    set_text(object, "description", NULL);
    set_text(object, "login", option(options, "user"));
    set_text(object, "password", secrets ? password : NULL);
    set_text(object, "host", host);
    json_object_set_new(object, "port", one_port ? json_integer(number) : json_null());
    set_text(object, "schema", option(options, "dbname"));
    set_text(object, "extra", extra_text(arena, options, secrets, ret_hidden));
    PQconninfoFree(options);
    return object;
}
