/* Connecting on a thread, told on the loop. */
#ifndef EXECUTOR_TARGET_CONNECTING_H
#define EXECUTOR_TARGET_CONNECTING_H

#include "executor/offload.h"
#include "executor/target/connect.h"

/*
 * Connects as connect_blocking does.  `done` is called on the loop, with the connection as it was
 * then; `connected` is the caller's when `err` is NULL, and closed otherwise.  It is not called
 * when the offload is freed before.
 */
void connecting_start(struct offload *offload, const struct connection *connection,
    const char *application_name, void *user,
    void (*done)(void *user, const struct connection *connection, struct connected *connected,
        const struct error *err));

#endif
