#include "web/web.h"

#include "base/file.h"
#include "base/log.h"
#include "executor/serving/serving.h"
#include "web/http_post.h"
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

void web_refuse_post(
    struct web *web, struct http_post *post, const char *path, const struct error *why)
{
    struct http_answer answer = {0};
    struct http_request request = {.path = path};
    refuse(web, &request, why, &answer);
    http_post_answer(post, &answer);
}

/* The route of a request that is answered later, and the page that its functions are given. */
static enum status find_later(struct web *web, const struct http_request *request,
    struct arena *arena, const struct route **ret, struct route_values *values, struct page *page,
    struct error *err)
{
    *page = make_page(web, request, arena, &(struct http_answer){0});
    page->out = NULL;
    page->values = values;
    return route_find(request->path, arena, ret, values, err);
}

static bool is_later(void *user, const struct http_request *request)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct route *route;
    struct route_values values;
    struct error ignored;
    (void)user;
    return route_find(request->path, arena, &route, &values, &ignored) == OK && route->later;
}

static enum status accept_post(void *user, const struct http_request *request, size_t size,
    size_t *ret_body_max, struct error *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct route *route;
    struct route_values values;
    struct page page;
    enum status status = find_later(user, request, arena, &route, &values, &page, err);
    if (status == OK && !route->post)
        status = error_set(err, ERR_HTTP_METHOD, "POST is not answered at %s", request->path);
    return status == OK ? route->accept(&page, size, ret_body_max, err) : status;
}

static void take_post(void *user, const struct http_request *request, struct http_post *post)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const struct route *route;
    struct route_values values;
    struct page page;
    struct error err;
    enum status status = find_later(user, request, arena, &route, &values, &page, &err);
    page.fragments = http_query(request, "fragment", arena);
    if (status == OK)
        status = (route->later ? route->later : route->post)(&page, post, &err);
    if (status != OK)
        web_refuse_post(user, post, request->path, &err);
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
        .later = is_later,
        .accept = accept_post,
        .post = take_post,
        .refuse = refuse};
    web->daemon = daemon;
    web->loop = loop;
    assets_version(web->assets);
    enum status status = OK;
    web->models = model_queries_new(daemon_project(daemon));
    if (daemon_project(daemon)->endpoint_count || web->models)
        status = serving_new(loop, &web->serving, err);
    if (status == OK)
        status = http_open(&options, &web->http, err);
    if (status != OK) {
        serving_free(web->serving);
        mem_free(web->models);
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
    serving_free(web->serving); /* after the requests that wait for it */
    mem_free(web->models);
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
