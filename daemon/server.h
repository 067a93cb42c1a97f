/*
 * The daemon's Unix socket: `<state>/socket`, mode 0600, only for the same user and root.  A client
 * sends lines of JSON and gets a line back for each, in order.
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include <uv.h>
#include "base/error.h"
#include "base/json.h"

struct server;
struct server_call; /* one line to be answered; counted by the server until server_answer */

/* Called on the loop for each line; must lead to one server_answer, now or later.  `user_name` is
   the peer's. */
typedef void server_handler(
    void *user, struct server_call *call, const json_t *line, const char *user_name);

enum status server_open(uv_loop_t *loop, const char *state, server_handler *handler, void *user,
    struct server **ret, struct error *err) MUST_CHECK;
/* Sends the answer (JSON without line end) and forgets the call; the client may be gone already. */
void server_answer(struct server_call *call, const char *json);
void server_answer_error(struct server_call *call, const struct error *err);
/* Stops listening and hangs up; calls not answered yet may still be answered (to nobody).  The
   memory goes when the loop has closed the handles. */
void server_close(struct server *server);

#endif
