/*
 * Live updates: one stream of server-sent events per page, that names what changed.
 *
 *     event: change
 *     data: {"revision": 17, "dags": ["geolife"], "runs": [["geolife", "scheduled__…"]],
 *            "tasks": [["geolife", "scheduled__…", "clean_daily_label"]]}
 *
 * or {"revision": 18, "all": true} when definitions changed, or more than EVENTS_NAMES_MAX names
 * would be told. A stream begins with `event: hello` and {"revision": 17}: a page that was made at
 * another one has missed something.  Changes of EVENTS_DELAY_MS become one event.  A stream that
 * was opened for an attempt's log also gets `event: log` with its size in bytes whenever it grew.
 * Comments come as heartbeats.
 */
#ifndef WEB_EVENTS_H
#define WEB_EVENTS_H

#include <uv.h>
#include "scheduler/plan.h"
#include "store/store.h"
#include "web/http.h"

struct events;

struct events *events_new(uv_loop_t *loop);
/* Closes its handles; the memory goes when the loop has closed them.  After http_close. */
void events_free(struct events *events);

/* Runs that are live when the pages open; later ones are learnt from plans. */
void events_learn(struct events *events, const struct run_rows *live);
/* NULL: definitions changed. */
void events_changed(struct events *events, const struct plan *plan);

/* Grows with every event; never the same in two daemons. */
int64_t events_revision(const struct events *events);

/* A stream for an answer; `log_path` (may be NULL) is a file to follow.  NULL when there are too
   many. */
struct http_stream *events_open(
    struct events *events, struct http_server *server, const char *log_path);

#endif
