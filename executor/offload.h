/*
 * Work that blocks, off the loop: connecting, cancelling, terminating.  A few threads of their own,
 * made when they are needed and gone when there is nothing to do, so that idling costs nothing.
 *
 * A job's `work` runs on a thread and may block for as long as it likes; `done` is called on the
 * loop's thread.  A job cannot be stopped.  When the offload is freed, jobs that still run are let
 * go: their `discard` is called, on their thread, instead of `done`; those not begun get `discard`
 * at once.
 */
#ifndef EXECUTOR_OFFLOAD_H
#define EXECUTOR_OFFLOAD_H

#include <uv.h>
#include "base/error.h"

struct offload;

struct offload_job {
    void (*work)(struct offload_job *job);    /* on a thread */
    void (*done)(struct offload_job *job);    /* on the loop */
    void (*discard)(struct offload_job *job); /* instead of done; on any thread */
    struct offload_job *next;                 /* the offload's */
};

/* `threads_max` jobs run at once; more wait in order. */
enum status offload_new(
    uv_loop_t *loop, unsigned threads_max, struct offload **ret, struct error *err) MUST_CHECK;
/* The job is the caller's and must live until `done` or `discard`. */
void offload_run(struct offload *offload, struct offload_job *job);
/* `closed` is called from the loop when the offload's handle is closed. */
void offload_free(struct offload *offload, void (*closed)(void *user), void *user);
/* Whether a thread of any offload is at work, freed or not.  A process then has to end by _exit:
   what libraries take down at exit (OpenSSL) must not go from under a thread that uses it. */
bool offload_at_work(void);

#endif
