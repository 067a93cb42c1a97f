#include "store/thread.h"

#include <pthread.h>

#include "store/limits.h"

/* A ring of batches: [taken, done) are finished, [done, handed) wait for the thread. */
struct store_thread {
    struct store *store;
    void (*notify)(void *user);
    void *user;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct finished_batch ring[STORE_BATCHES_MAX];
    size_t taken, done, handed; /* counters; modulo the ring's size they are places in it */
    bool stopping;
    bool broken;
};

static struct finished_batch *place(struct store_thread *thread, size_t counter)
{
    return &thread->ring[counter % STORE_BATCHES_MAX];
}

/* A commit whose answer was lost may have happened: its number tells. */
static enum status apply(struct store_thread *thread, struct finished_batch *batch)
{
    enum status status = store_apply(thread->store, &batch->plan, batch->batch, &batch->error);
    if (status == OK || status == ERR_STORE_CONFLICT)
        return status;
    int64_t last = 0;
    if (store_last_batch(thread->store, &last, NULL) == OK && last >= batch->batch)
        return OK;
    return status;
}

static void *run(void *arg)
{
    struct store_thread *thread = arg;
    pthread_mutex_lock(&thread->mutex);
    for (;;) {
        while (thread->done == thread->handed && !thread->stopping)
            pthread_cond_wait(&thread->changed, &thread->mutex);
        if (thread->done == thread->handed)
            break;
        struct finished_batch *batch = place(thread, thread->done);
        bool broken = thread->broken;
        pthread_mutex_unlock(&thread->mutex);
        batch->status = broken ? error_set(&batch->error, ERR_INTERRUPTED,
                                     "an earlier batch could not be made durable")
                               : apply(thread, batch);
        pthread_mutex_lock(&thread->mutex);
        thread->broken = thread->broken || batch->status != OK;
        thread->done++;
        pthread_cond_broadcast(&thread->changed);
        thread->notify(thread->user);
    }
    pthread_mutex_unlock(&thread->mutex);
    return NULL;
}

struct store_thread *store_thread_start(struct store *store, void (*notify)(void *user), void *user)
{
    struct store_thread *thread = mem_alloc_zero(1, sizeof(*thread));
    thread->store = store;
    thread->notify = notify;
    thread->user = user;
    pthread_mutex_init(&thread->mutex, NULL);
    pthread_cond_init(&thread->changed, NULL);
    pthread_create(&thread->thread, NULL, run, thread);
    return thread;
}

enum status store_thread_submit(
    struct store_thread *thread, struct plan *plan, int64_t batch, struct error *err)
{
    pthread_mutex_lock(&thread->mutex);
    bool full = thread->handed - thread->taken == STORE_BATCHES_MAX;
    if (!full) {
        struct finished_batch *slot = place(thread, thread->handed);
        memset(slot, 0, sizeof(*slot));
        slot->batch = batch;
        slot->plan = *plan;
        thread->handed++;
        pthread_cond_broadcast(&thread->changed);
    }
    pthread_mutex_unlock(&thread->mutex);
    if (full)
        return error_set(err, ERR_LIMIT, "%d batches are waiting for the disk", STORE_BATCHES_MAX);
    plan_init(plan);
    return OK;
}

size_t store_thread_pending(const struct store_thread *thread)
{
    struct store_thread *mutable = (struct store_thread *)thread;
    pthread_mutex_lock(&mutable->mutex);
    size_t pending = thread->handed - thread->taken;
    pthread_mutex_unlock(&mutable->mutex);
    return pending;
}

bool store_thread_finished(struct store_thread *thread, struct finished_batch *ret)
{
    pthread_mutex_lock(&thread->mutex);
    bool some = thread->taken < thread->done;
    if (some)
        *ret = *place(thread, thread->taken++);
    pthread_mutex_unlock(&thread->mutex);
    return some;
}

void store_thread_drain(struct store_thread *thread)
{
    pthread_mutex_lock(&thread->mutex);
    while (thread->done < thread->handed)
        pthread_cond_wait(&thread->changed, &thread->mutex);
    pthread_mutex_unlock(&thread->mutex);
}

void store_thread_stop(struct store_thread *thread)
{
    pthread_mutex_lock(&thread->mutex);
    thread->stopping = true;
    pthread_cond_broadcast(&thread->changed);
    pthread_mutex_unlock(&thread->mutex);
    pthread_join(thread->thread, NULL);
    struct finished_batch rest;
    while (store_thread_finished(thread, &rest))
        plan_done(&rest.plan);
    store_close(thread->store);
    pthread_cond_destroy(&thread->changed);
    pthread_mutex_destroy(&thread->mutex);
    mem_free(thread);
}
