#include "web/web.h"

#include "base/file.h"
#include "base/log.h"
#include "web/limits.h"
#include "web/pages/pages.h"

enum status web_reader(struct web *web, struct store **ret, struct error *err)
{
    if (!web->reader) {
        CLEANUP(arena_freep) struct arena *arena = arena_new();
        const char *path = path_join(arena, daemon_project(web->daemon)->state, "dag.db");
        enum status status = store_open_reader(path, &web->reader, err);
        if (status != OK) {
            web->reader = NULL;
            return status;
        }
    }
    *ret = web->reader;
    return OK;
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct page make_page(struct web *web, const struct http_request *request,
    struct arena *arena, struct http_answer *ret)
{
    return (struct page){.web = web,
        .request = request,
        .arena = arena,
        .out = &ret->body,
        .now = clock_now(),
        .zone = zone_utc()};
}

static void answer(void *user, const struct http_request *request, struct http_answer *ret)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct route *route;
    struct route_values values;
    struct error err;
    struct page page = make_page(user, request, arena, ret);
    page.fragments = http_query(request, "fragment", arena);
    page.values = &values;
    enum status status = route_find(request->path, arena, &route, &values, &err);
    if (status == OK)
        status = route->serve(&page, ret, &err);
    if (status == OK)
        return;
    if (status_info(status)->http_status >= 500)
        log_error(&err, "the page %s", request->path);
    page_error(&page, request->path, &err, ret);
}

static void refuse(void *user, const struct http_request *request, const struct error *why,
    struct http_answer *ret)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct page page = make_page(user, request, arena, ret);
    page_error(&page, request->path, why, ret);
}

/* ---- what the daemon calls ------------------------------------------------------------------- */

/* The events name runs, which task changes do not: those that are live already are read once. */
static void learn_live_runs(struct web *web)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct run_filter filter = {.states = 1u << RUN_QUEUED | 1u << RUN_RUNNING};
    struct run_rows live;
    struct store *reader;
    struct error err;
    if (web_reader(web, &reader, &err) == OK &&
        store_read_runs(reader, &filter, arena, &live, &err) == OK)
        events_learn(web->events, &live);
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
    web->loop = loop;
    assets_version(web->assets);
    if (http_open(&options, &web->http, err) != OK) {
        mem_free(web);
        return NULL;
    }
    web->events = events_new(loop);
    learn_live_runs(web);
    return web;
}

static void changed(void *pages, const struct plan *plan)
{
    struct web *web = pages;
    events_changed(web->events, plan);
}

static void close_pages(void *pages)
{
    struct web *web = pages;
    http_close(web->http);
    events_free(web->events);
    store_close(web->reader);
    mem_free(web);
}

static const char *address(void *pages)
{
    const struct web *web = pages;
    return http_address(web->http);
}

struct daemon_pages web_pages(void)
{
    return (struct daemon_pages){
        .open = open_pages, .changed = changed, .close = close_pages, .address = address};
}
