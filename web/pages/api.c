/* What programs ask for: health, events, assets. */
#include "base/embedded.h"
#include "base/json.h"
#include "web/pages/pages.h"

extern const struct embedded_file web_assets[];
extern const size_t web_assets_count;

/* ---- health ---------------------------------------------------------------------------------- */

enum status api_health(struct page *page, struct http_answer *ret, struct error *err)
{
    struct store *reader;
    struct error ignored;
    const struct scheduler *scheduler = live_scheduler(page);
    bool readable = web_reader(page->web, &reader, &ignored) == OK;
    struct json_writer w = json_begin(page->out);
    (void)err;
    json_object_begin(&w);
    json_kv_str(&w, "status", scheduler && readable ? "healthy" : "unhealthy");
    json_kv_str(&w, "version", DAG_VERSION);
    json_kv_str(&w, "scheduler", scheduler ? "running" : "loading");
    json_kv_str(&w, "metadata", readable ? "readable" : ignored.message);
    json_kv_time(&w, "started", daemon_started_us(page->web->daemon));
    json_kv_time(&w, "now", page->now.wall_us);
    if (scheduler) {
        struct scheduler_counts counts = scheduler_count(scheduler);
        json_kv_int(&w, "dags", (int64_t)counts.dags);
        json_kv_int(&w, "live_runs", (int64_t)counts.runs);
        json_kv_int(&w, "active_attempts", (int64_t)counts.active);
    }
    json_kv_int(
        &w, "broken_files", (int64_t)catalogue_broken_count(daemon_catalogue(page->web->daemon)));
    json_object_end(&w);
    ret->type = "application/json";
    ret->status = scheduler && readable ? 200 : 503;
    return OK;
}

/* ---- events ---------------------------------------------------------------------------------- */

/* `?log=/dags/…/tries/2`: the log to follow. */
static enum status followed_log(struct page *page, const char **ret, struct error *err)
{
    const struct route *route;
    struct route_values values;
    struct attempt_facts facts;
    const char *address = http_query(page->request, "log", page->arena);
    *ret = NULL;
    if (!address)
        return OK;
    enum status status = route_find(address, page->arena, &route, &values, err);
    if (status == OK && !values.number)
        status = error_set(err, ERR_INVALID, "`log` is not the address of a try");
    if (status == OK)
        status = read_attempt(page, &values, &facts, err);
    if (status == OK)
        *ret = facts.log_path;
    return status;
}

enum status api_events(struct page *page, struct http_answer *ret, struct error *err)
{
    const char *log_path;
    enum status status = followed_log(page, &log_path, err);
    if (status != OK)
        return status;
    ret->stream = events_open(page->web->events, page->web->http, log_path);
    if (!ret->stream)
        return error_set(err, ERR_HTTP_STREAMS, "%zu pages follow the events already",
            http_stream_count(page->web->http));
    ret->type = "text/event-stream";
    return OK;
}

/* ---- assets ---------------------------------------------------------------------------------- */

static const char *type_of(const char *name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (str_ends(name, types[i].ending))
            return types[i].type;
    return "application/octet-stream";
}

enum status file_asset(struct page *page, struct http_answer *ret, struct error *err)
{
    const struct embedded_file *file =
        embedded_find(web_assets, web_assets_count, page->values->name);
    if (!file)
        return error_set(err, ERR_NOT_FOUND, "there is no asset `%s`", page->values->name);
    ret->constant = slice_make(file->data, file->size);
    ret->type = type_of(file->name);
    ret->immutable = true;
    return OK;
}

void assets_version(char ret[17])
{
    uint64_t hash = 0;
    for (size_t i = 0; i < web_assets_count; i++)
        hash = hash * 31 + hash_u64(web_assets[i].data, web_assets[i].size);
    snprintf(ret, 17, "%016llx", (unsigned long long)hash);
}
