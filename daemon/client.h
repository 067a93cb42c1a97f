/*
 * Asking the daemon: one line of JSON over `<state>/socket`, one line back.  For commands; blocks.
 */
#ifndef DAEMON_CLIENT_H
#define DAEMON_CLIENT_H

#include "base/error.h"
#include "base/json.h"

/* Sends `line` (JSON without line end) and waits for the answer's tree, the caller's (json_decref).
   Nobody there is ERR_NO_DAEMON; somebody who gives no sign of life ERR_DAEMON_SILENT, within two
   seconds and without having been asked anything. */
enum status client_call(
    const char *state, const char *line, json_t **ret, struct error *err) MUST_CHECK;
/* Fills `err` from an answer that says "error": its status (by name), message and hint. */
enum status client_error(const json_t *answer, struct error *err);
/* Whether there is a daemon, be it a silent one. */
bool client_alive(const char *state);

#endif
