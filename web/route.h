/* Addresses: which page a path asks for. */
#ifndef WEB_ROUTE_H
#define WEB_ROUTE_H

#include "base/error.h"
#include "web/http.h"

struct page;

/* What the variable segments of a path said, decoded; NULL where the route has none. */
struct route_values {
    const char *dag_id, *run, *task, *number, *name;
};

struct route {
    const char *path; /* ":dag" and the like stand for one segment */
    /* Fills the answer, or returns an error, which becomes an error page. */
    enum status (*serve)(struct page *page, struct http_answer *ret, struct error *err);
    /* Of a route that takes POST: how many bytes its body (of `size`, 0 when it does not say) may
       have; and the request with its body, which is answered, now or later, unless it is an error.
     */
    enum status (*accept)(struct page *page, size_t size, size_t *ret_body_max, struct error *err);
    enum status (*post)(struct page *page, struct http_post *post, struct error *err);
    /* Instead of `serve`, for a GET that has to ask elsewhere first: answered now or later, unless
       it is an error. */
    enum status (*later)(struct page *page, struct http_post *post, struct error *err);
};

/* The route of a path as sent.  ERR_NOT_FOUND when there is none. */
enum status route_find(const char *path, struct arena *arena, const struct route **ret,
    struct route_values *ret_values, struct error *err) MUST_CHECK;
/* Matches a path against one pattern: the heart of route_find. */
bool route_match(
    const char *pattern, const char *path, struct arena *arena, struct route_values *ret);
/* All routes, for tests and docs. */
const struct route *route_table(size_t *ret_count);

#endif
