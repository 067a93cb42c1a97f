/*
 * The daemon, `dag up`: leader lock, engine, socket, file watching, signals, pages.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <uv.h>
#include "daemon/engine.h"
#include "definition/catalogue.h"

struct daemon;

/* What the pages are made of (web/ fills it in; the daemon knows no HTTP).  All may be NULL. */
struct daemon_pages {
    void *(*open)(struct daemon *daemon, uv_loop_t *loop, struct error *err); /* NULL on failure */
    void (*changed)(void *pages, const struct plan *plan); /* something is durable */
    void (*close)(void *pages);                            /* at once */
    const char *(*address)(void *pages); /* "http://127.0.0.1:8080/", for people */
};

struct daemon_options {
    const struct project *project; /* outlives the daemon */
    struct daemon_pages pages;
    void (*ready)(void *user, struct daemon *daemon); /* takes requests now; may be NULL */
    void *user;
};

/* Runs until it is told to stop (`dag down`, SIGTERM, SIGINT).  ERR_LEADER_RUNNING when another one
   is at work. */
enum status daemon_run(const struct daemon_options *options, struct error *err) MUST_CHECK;

/* For pages, on the loop's thread. */
const struct project *daemon_project(const struct daemon *daemon);
struct catalogue *daemon_catalogue(const struct daemon *daemon);
struct engine *daemon_engine(const struct daemon *daemon); /* NULL while it reloads */
const char *daemon_address(const struct daemon *daemon);   /* of the pages; NULL without */
int64_t daemon_started_us(const struct daemon *daemon);

#endif
