/*
 * The store thread: carries batches to the disk while the loop goes on.
 *
 * Batches are applied in the order given, one transaction each.  When one is durable, `notify` is
 * called on the store thread (the daemon wakes its loop there), and store_thread_finished hands the
 * results out on the loop's thread.  After a failure nothing further is applied: the batches behind
 * it come back with ERR_INTERRUPTED, and the owner reloads.
 */
#ifndef STORE_THREAD_H
#define STORE_THREAD_H

#include "store/store.h"

struct store_thread;

/* Takes over the store (it is used by the thread alone until store_thread_stop). */
struct store_thread *store_thread_start(
    struct store *store, void (*notify)(void *user), void *user);
/* Hands over a plan's content: `plan` is left empty.  ERR_LIMIT when STORE_BATCHES_MAX batches
   are not durable yet (nothing is taken then). */
enum status store_thread_submit(
    struct store_thread *thread, struct plan *plan, int64_t batch, struct error *err) MUST_CHECK;
/* Batches handed over and not yet taken back by store_thread_finished. */
size_t store_thread_pending(const struct store_thread *thread);

struct finished_batch {
    int64_t batch;
    struct plan plan; /* the caller's: plan_done */
    enum status status;
    struct error error;
};
/* The next finished batch; false when there is none now.  Never blocks. */
bool store_thread_finished(struct store_thread *thread, struct finished_batch *ret);
/* Waits until everything handed over is finished. */
void store_thread_drain(struct store_thread *thread);
/* Drains, ends the thread and closes the store. */
void store_thread_stop(struct store_thread *thread);

#endif
