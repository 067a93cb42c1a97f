/* Cancelling what a session runs, on a thread, told on the loop. */
#ifndef EXECUTOR_TARGET_CANCELLING_H
#define EXECUTOR_TARGET_CANCELLING_H

#include "executor/offload.h"
#include "executor/target/session.h"

struct cancelling;

/* PQcancel.  `done` is called on the loop, with the reason when it could not be sent, else NULL;
   not after cancelling_forget, and not when the offload is freed before.  NULL: nobody cares. */
struct cancelling *cancelling_start(struct offload *offload, struct session *session, void *user,
    void (*done)(void *user, const char *trouble));
/* Nobody cares any more: it is sent all the same.  NULL is allowed. */
void cancelling_forget(struct cancelling *cancelling);

#endif
