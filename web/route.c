#include "web/route.h"

#include "web/pages/pages.h"

/*
 * How to add a page:
 *  1. write its function in pages/ and declare it in pages/pages.h;
 *  2. add its row here (tests/unit/web/route_test.c fails when two rows fit one path);
 *  3. describe it in docs/status-page.md (tests/web fails when it is missing there).
 */
static const struct route routes[] = {
    {"/", page_home, NULL, NULL, NULL},
    {"/dags/:dag", page_dag, NULL, NULL, NULL},
    {"/dags/:dag/runs/:run", page_run, NULL, NULL, NULL},
    {"/dags/:dag/runs/:run/tasks/:task", page_task, NULL, NULL, NULL},
    {"/dags/:dag/runs/:run/tasks/:task/tries/:number", page_task, NULL, NULL, NULL},
    {"/dags/:dag/runs/:run/tasks/:task/tries/:number/log", file_log, NULL, NULL, NULL},
    {"/dags/:dag/runs/:run/tasks/:task/tries/:number/sql", file_sql, NULL, NULL, NULL},
    {"/queue", page_queue, NULL, NULL, NULL},
    {"/audit", page_audit, NULL, NULL, NULL},
    {"/models", NULL, NULL, NULL, models_later},
    {"/models/:name", NULL, NULL, NULL, models_later},
    {"/health", api_health, NULL, NULL, NULL},
    {"/api/events", api_events, NULL, NULL, NULL},
    {"/api/v2/predict", api_endpoints, NULL, NULL, NULL},
    {"/api/v2/predict/:name", api_endpoint, predict_accept, predict_post, NULL},
    {"/api/v2/models", NULL, NULL, NULL, models_later},
    {"/api/v2/models/:name", NULL, NULL, NULL, models_later},
    {"/assets/:name", file_asset, NULL, NULL, NULL},
};

const struct route *route_table(size_t *ret_count)
{
    *ret_count = ARRAY_SIZE(routes);
    return routes;
}

static const char **value_of(struct route_values *values, struct slice name)
{
    const struct {
        const char *name;
        const char **value;
    } names[] = {{":dag", &values->dag_id}, {":run", &values->run}, {":task", &values->task},
        {":number", &values->number}, {":name", &values->name}};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (slice_equal_str(name, names[i].name))
            return names[i].value;
    return NULL;
}

/* The segment at *p, which stands behind a '/'; moves *p to its end. */
static struct slice next_segment(const char **p)
{
    size_t size = strcspn(*p, "/");
    struct slice segment = slice_make(*p, size);
    *p += size;
    return segment;
}

bool route_match(
    const char *pattern, const char *path, struct arena *arena, struct route_values *ret)
{
    struct route_values values = {0};
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        struct slice wanted = next_segment(&pattern), given = next_segment(&path);
        const char **value = value_of(&values, wanted);
        if (!value && !slice_equal(wanted, given))
            return false;
        if (value && (given.size == 0 || !(*value = http_decode(arena, given))))
            return false;
    }
    if (*pattern || *path)
        return false;
    *ret = values;
    return true;
}

enum status route_find(const char *path, struct arena *arena, const struct route **ret,
    struct route_values *ret_values, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        if (!route_match(routes[i].path, path, arena, ret_values))
            continue;
        *ret = &routes[i];
        return OK;
    }
    return error_set(err, ERR_NOT_FOUND, "there is no page at %s", path);
}
