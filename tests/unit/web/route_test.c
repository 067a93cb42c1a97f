#include "web/route.h"
#include "tests/unit/test.h"

static struct arena *arena;
static struct route_values values;

static bool fits(const char *pattern, const char *path)
{
    arena_free(arena);
    arena = arena_new();
    values = (struct route_values){0};
    return route_match(pattern, path, arena, &values);
}

TEST(a_pattern_takes_its_segments_decoded)
{
    CHECK(fits("/dags/:dag/runs/:run", "/dags/geo%20life/runs/2007-04-12T00:00:00+00:00"));
    CHECK_STR(values.dag_id, "geo life");
    CHECK_STR(values.run, "2007-04-12T00:00:00+00:00");
    CHECK(values.task == NULL);
    CHECK(fits("/dags/:dag/runs/:run/tasks/:task", "/dags/a/runs/latest/tasks/b%5B3%5D"));
    CHECK_STR(values.task, "b[3]");
    CHECK(fits("/", "/"));
}

TEST(an_encoded_slash_stays_inside_its_segment)
{
    CHECK(fits("/dags/:dag", "/dags/a%2Fb"));
    CHECK_STR(values.dag_id, "a/b");
}

TEST(other_paths_do_not_fit)
{
    CHECK(!fits("/dags/:dag", "/dags/"));
    CHECK(!fits("/dags/:dag", "/dags"));
    CHECK(!fits("/dags/:dag", "/dags/a/"));
    CHECK(!fits("/dags/:dag", "/dags/a/b"));
    CHECK(!fits("/dags/:dag", "dags/a"));
    CHECK(!fits("/queue", "/Queue"));
    CHECK(!fits("/", ""));
}

TEST(broken_escapes_and_bytes_that_are_no_text_do_not_fit)
{
    CHECK(!fits("/dags/:dag", "/dags/%"));
    CHECK(!fits("/dags/:dag", "/dags/%4"));
    CHECK(!fits("/dags/:dag", "/dags/%zz"));
    CHECK(!fits("/dags/:dag", "/dags/a%00b"));
    CHECK(!fits("/dags/:dag", "/dags/%FF"));
}

TEST(no_two_routes_fit_one_path)
{
    size_t count;
    const struct route *routes = route_table(&count);
    CHECK(count > 5);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            CHECK(i == j || !fits(routes[i].path, routes[j].path));
}

TEST(an_unknown_path_is_not_found)
{
    struct error err;
    const struct route *route = NULL;
    CHECK_INT(route_find("/nothing", arena, &route, &values, &err), ERR_NOT_FOUND);
    CHECK_OK(route_find("/audit", arena, &route, &values, &err), &err);
    CHECK_STR(route->path, "/audit");
    arena_free(arena);
    arena = NULL;
}
