#include "web/web.h"

#include "web/http.h"

struct web {
    struct daemon *daemon;
    struct http_server *http;
};

static void answer(void *user, const struct http_request *request, struct http_answer *ret)
{
    struct web *web = user;
    struct catalogue *catalogue = daemon_catalogue(web->daemon);
    (void)request;
    strbuf_printf(
        &ret->body, "<!doctype html><title>dag</title><p>%zu DAGs\n", catalogue_count(catalogue));
}

static void refuse(void *user, const struct http_request *request, const struct error *why,
    struct http_answer *ret)
{
    (void)user;
    (void)request;
    ret->status = (unsigned)status_info(why->status)->http_status;
    ret->type = "text/plain; charset=utf-8";
    strbuf_printf(&ret->body, "%s\n", why->message);
}

static void *open_pages(struct daemon *daemon, uv_loop_t *loop, struct error *err)
{
    struct web *web = mem_alloc_zero(1, sizeof(*web));
    struct http_options options = {.listen = daemon_project(daemon)->web_listen,
        .loop = loop,
        .user = web,
        .answer = answer,
        .refuse = refuse};
    web->daemon = daemon;
    if (http_open(&options, &web->http, err) == OK)
        return web;
    mem_free(web);
    return NULL;
}

static void changed(void *pages, const struct plan *plan)
{
    (void)pages;
    (void)plan;
}

static void close_pages(void *pages)
{
    struct web *web = pages;
    http_close(web->http);
    mem_free(web);
}

static const char *address(void *pages)
{
    return http_address(((struct web *)pages)->http);
}

struct daemon_pages web_pages(void)
{
    return (struct daemon_pages){
        .open = open_pages, .changed = changed, .close = close_pages, .address = address};
}
