/* `http`, and what a sensor asks over HTTP. */
#include <ctype.h>
#include <strings.h>
#include "definition/kinds/kinds.h"
#include "definition/report.h"

/* The node of a key in a request, else the request's own. */
static const struct yaml_node *place_of(
    const struct yaml_node *node, const struct yaml_node *own, const char *name)
{
    const struct yaml_node *inside = node->kind == YAML_MAPPING ? yaml_get(node, name) : NULL;
    const struct yaml_node *beside = own ? yaml_get(own, name) : NULL;
    return inside ? inside : beside ? beside : node;
}

/* Where a request stands, and what it comes to. */
struct request {
    struct loading *l;
    const struct yaml_node *node, *own; /* `own` NULL: no keys stand beside it */
    const struct http_keys *keys;
    struct http_task *http;
};

static struct diagnostic *complain(
    const struct request *r, const char *key, enum status status, const char *message)
{
    return report(r->l->diagnostics, place_of(r->node, r->own, key), status, "%s", message);
}

/* ---- its parts ------------------------------------------------------------------------------- */

static bool is_plain(const char *text)
{
    return !strchr(text, '{');
}

static void take_url(const struct request *r)
{
    const char *url = r->keys->url.value;
    r->http->url = r->keys->url;
    if (!url) {
        report_hint(complain(r, "url", ERR_KEY_MISSING, "the request does not say where it goes"),
            "write `http: {url: https://…}`");
        return;
    }
    bool scheme = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
    if (is_plain(url) && !scheme)
        report_hint(
            complain(r, "url", ERR_VALUE_RANGE, "`url` must begin with http:// or https://"),
            "write the whole address");
    else if (is_plain(url) && strpbrk(url, " \t\r\n"))
        report_hint(complain(r, "url", ERR_VALUE_RANGE, "`url` has a space in it"),
            "write it as %s", "%20");
}

static void take_method(const struct request *r)
{
    static const char *const methods[] = {
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    const char *given = r->keys->method;
    if (!given) {
        r->http->method = r->http->body.value || r->http->json ? "POST" : "GET";
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcasecmp(methods[i], given) == 0) {
            r->http->method = methods[i];
            return;
        }
    report_hint(complain(r, "method", ERR_VALUE_RANGE, "there is no such `method`"),
        "use one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

static void take_body(const struct request *r)
{
    const struct yaml_node *body = r->keys->body;
    if (!body || (body->kind == YAML_SCALAR && body->type == YAML_NULL))
        return;
    if (body->kind != YAML_SCALAR) {
        r->http->json = yaml_to_json(body);
        r->http->json_line = body->line;
        return;
    }
    r->http->body = body->text;
    r->http->body.value = arena_strndup(r->l->arena, body->value.p, body->value.size);
}

/* A token of RFC 9110. */
static bool is_header_name(const char *name)
{
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("!#$%&'*+-.^_`|~", *at))
            return false;
    return *name;
}

static void check_header(const struct request *r, size_t number)
{
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Connection"};
    const struct named_text *header = &r->keys->headers.at[number];
    const struct yaml_node *node = place_of(r->node, r->own, "headers");
    if (!is_header_name(header->name))
        report(r->l->diagnostics, node, ERR_BAD_NAME, "`%s` is no name of a header", header->name);
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        if (strcasecmp(ours[i], header->name) == 0)
            report_hint(report(r->l->diagnostics, node, ERR_VALUE_RANGE,
                            "`%s` cannot be given in `headers`", header->name),
                "leave it out: it follows from the request");
    for (size_t i = 0; i < number; i++)
        if (strcasecmp(r->keys->headers.at[i].name, header->name) == 0)
            report(r->l->diagnostics, node, ERR_DUPLICATE, "the header `%s` is given twice",
                header->name);
    if (strpbrk(header->text.value, "\r\n"))
        report(r->l->diagnostics, node, ERR_VALUE_RANGE, "the header `%s` has more than one line",
            header->name);
}

static void take_headers(const struct request *r)
{
    r->http->headers = r->keys->headers;
    for (size_t i = 0; i < r->keys->headers.count; i++)
        check_header(r, i);
}

/* 404, or "4xx" for a hundred of them. */
static bool read_statuses(const struct yaml_node *node, struct http_statuses *ret)
{
    const char *text = node->kind == YAML_SCALAR ? node->value.p : "";
    if (node->kind == YAML_SCALAR && node->type == YAML_INT && node->integer >= 100 &&
        node->integer <= 599) {
        *ret = (struct http_statuses){(int)node->integer, (int)node->integer};
        return true;
    }
    if (text[0] < '1' || text[0] > '5' || strcasecmp(text + 1, "xx") != 0)
        return false;
    *ret = (struct http_statuses){(text[0] - '0') * 100, (text[0] - '0') * 100 + 99};
    return true;
}

static void take_expect(const struct request *r)
{
    static const struct http_statuses usual = {200, 299};
    const struct yaml_node *node = r->keys->expect;
    bool list = node && node->kind == YAML_SEQUENCE;
    size_t count = list ? node->count : 1;
    if (!node || (node->kind == YAML_SCALAR && node->type == YAML_NULL)) {
        r->http->expect = &usual;
        r->http->expect_count = 1;
        return;
    }
    struct http_statuses *statuses = arena_array(r->l->arena, struct http_statuses, count);
    for (size_t i = 0; i < count; i++)
        if (!read_statuses(list ? node->items[i] : node, &statuses[i]))
            report_hint(report(r->l->diagnostics, list ? node->items[i] : node, ERR_VALUE_RANGE,
                            "`expect` takes statuses, this is %s",
                            yaml_describe(list ? node->items[i] : node)),
                "write 200, 2xx, or a list of such");
    if (!count)
        report(r->l->diagnostics, node, ERR_VALUE_RANGE, "`expect` is empty");
    r->http->expect = statuses;
    r->http->expect_count = count;
}

static void take_result(const struct request *r)
{
    const char *pointer = r->keys->result;
    r->http->result = pointer;
    if (pointer && *pointer && *pointer != '/')
        report_hint(complain(r, "result", ERR_VALUE_RANGE, "`result` is no JSON pointer"),
            "write `/%s`; \"\" is the whole answer", pointer);
}

static bool take_request(const struct request *r)
{
    size_t errors = r->l->diagnostics->error_count;
    *r->http = (struct http_task){0};
    take_url(r);
    take_body(r);
    take_method(r);
    take_headers(r);
    take_expect(r);
    take_result(r);
    return r->l->diagnostics->error_count == errors;
}

/* ---- the two doors --------------------------------------------------------------------------- */

static const struct kind_keys http_kind = {"http", &http_level, "url"};

static bool read_keys(struct loading *l, const struct yaml_node *node, struct http_keys *keys)
{
    return kind_keys_read(l, &http_kind, node, keys, &keys->url);
}

bool kind_http_request(
    struct loading *l, const struct yaml_node *node, struct http_keys *keys, struct http_task *ret)
{
    struct request request = {l, node, NULL, keys, ret};
    return read_keys(l, node, keys) && take_request(&request);
}

void kind_http_load(struct loading *l, const struct yaml_node *key, const struct yaml_node *own,
    struct task_keys *keys)
{
    const struct yaml_node *node = keys->kind ? keys->kind : key;
    struct request request = {l, node, own, &keys->http, &keys->parts.http};
    if (keys->kind && !kind_keys_twice(l, &http_kind, node, own) && read_keys(l, node, &keys->http))
        take_request(&request);
}
