/* What must not be shown: names of secrets, passwords in addresses. */
#include <ctype.h>
#include <strings.h>
#include "definition/project.h"

enum status stored_unreadable(
    const char *what, const char *name, const char *problem, struct error *err)
{
    error_set(err, ERR_KEY, "%s `%s` is stored sealed and cannot be read: %s", what, name, problem);
    error_hint(err,
        "put the key back (`key` in the state directory, DAG_KEY or DAG_KEY_FILE); if "
        "it is lost, set the %s anew",
        what);
    return ERR_KEY;
}

bool name_is_sensitive(const char *name)
{
    /* As Airflow's secrets masker (DEFAULT_SENSITIVE_FIELDS). */
    static const char *const words[] = {"access_token", "api_key", "apikey", "authorization",
        "passphrase", "passwd", "password", "private_key", "proxies", "proxy", "secret", "token",
        "keyfile_dict", "service_account"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

static bool is_secret_parameter(struct slice name)
{
    static const char *const names[] = {"password", "sslpassword", "passphrase"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (name.size == strlen(names[i]) && strncasecmp(name.p, names[i], name.size) == 0)
            return true;
    return false;
}

/* scheme://user:password@host/…?password=… */
static void add_uri(struct strbuf *out, const char *uri)
{
    const char *authority = strstr(uri, "://") + 3;
    size_t authority_size = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', authority_size);
    const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    const char *rest = uri;
    if (colon) {
        strbuf_add(out, uri, (size_t)(colon + 1 - uri));
        strbuf_add_str(out, "***");
        rest = at;
    }
    while (*rest) {
        size_t size = strcspn(rest, "?&");
        size += rest[size] != '\0';
        strbuf_add(out, rest, size);
        bool in_query = rest[size - 1] == '?' || rest[size - 1] == '&';
        rest += size;
        size_t name = strcspn(rest, "=&");
        if (in_query && rest[name] == '=' && is_secret_parameter(slice_make(rest, name))) {
            strbuf_add(out, rest, name + 1);
            strbuf_add_str(out, "***");
            rest += strcspn(rest, "&");
        }
    }
}

/* The end of a conninfo value: 'quoted with \' escapes' or up to white space. */
static const char *skip_value(const char *p)
{
    bool quoted = *p == '\'';
    p += quoted;
    while (*p && (quoted ? *p != '\'' : !isspace((unsigned char)*p)))
        p += *p == '\\' && p[1] ? 2 : 1;
    return quoted && *p ? p + 1 : p;
}

/* host=… password='…' */
static void add_conninfo(struct strbuf *out, const char *text)
{
    for (const char *p = text; *p;) {
        size_t space = strspn(p, " \t\r\n");
        strbuf_add(out, p, space);
        p += space;
        size_t name = strcspn(p, "= \t\r\n"), gap = strspn(p + name, " \t\r\n");
        if (p[name + gap] != '=') {
            strbuf_add(out, p, name);
            p += name;
            continue;
        }
        size_t head = name + gap + 1;
        head += strspn(p + head, " \t\r\n");
        const char *end = skip_value(p + head);
        strbuf_add(out, p, head);
        if (is_secret_parameter(slice_make(p, name)))
            strbuf_add_str(out, "***");
        else
            strbuf_add(out, p + head, (size_t)(end - (p + head)));
        p = end;
    }
}

char *connection_uri_shown(struct arena *arena, const char *uri)
{
    struct strbuf out = {0};
    if (strstr(uri, "://"))
        add_uri(&out, uri);
    else
        add_conninfo(&out, uri);
    char *shown = strbuf_to_arena(&out, arena);
    strbuf_done(&out);
    return shown;
}
