/*
 * Counts what the loop still owes us a callback for (handles being closed, work on its threads), so
 * that memory goes only when nothing can call back.  One per executor; the loop's thread only.
 */
#ifndef EXECUTOR_HANDLES_H
#define EXECUTOR_HANDLES_H

#include <stdbool.h>
#include <uv.h>

struct handles {
    uv_loop_t *loop;
    unsigned open;
    void (*empty)(void *user); /* called once `ending` is set and nothing is open */
    void *user;
    bool ending;
};

void handles_add(struct handles *handles);
/* May call `empty`: nothing of the executor may be touched after it. */
void handles_drop(struct handles *handles);

/* A timer of its own allocation. */
struct timer;
struct timer *timer_new(struct handles *handles, void (*fired)(void *user), void *user);
/* (Re)starts it to fire once after `ms`. */
void timer_start(struct timer *timer, uint64_t ms);
void timer_stop(struct timer *timer);
/* Stops and frees; it does not fire any more.  NULL is fine. */
void timer_free(struct timer *timer);

#endif
