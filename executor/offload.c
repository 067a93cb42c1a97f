#include "executor/offload.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/memory.h"

enum {
    /* Bytes.  TLS, GSS and name resolution stay far below. */
    OFFLOAD_STACK_SIZE = 512 * 1024,
};

static atomic_int threads_at_work; /* of all offloads */

struct queue {
    struct offload_job *first, **last;
};

/* Owned by the loop's side and by each running thread together: the last one frees it. */
struct offload {
    pthread_mutex_t mutex;
    unsigned references;
    unsigned threads, threads_max;
    bool closed; /* the loop's side is gone: no more uv_async_send */
    struct queue waiting, finished;
    uv_async_t *async; /* own allocation: freed in its close callback */
    void (*on_closed)(void *user);
    void *user;
};

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_push(struct queue *queue, struct offload_job *job)
{
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
}

static struct offload_job *queue_pop(struct queue *queue)
{
    struct offload_job *job = queue->first;
    if (job && !(queue->first = job->next))
        queue->last = &queue->first;
    return job;
}

/* With the mutex held, which is released. */
static void release(struct offload *offload)
{
    bool last = --offload->references == 0;
    pthread_mutex_unlock(&offload->mutex);
    if (!last)
        return;
    pthread_mutex_destroy(&offload->mutex);
    mem_free(offload);
}

static void finish_job(struct offload *offload, struct offload_job *job)
{
    if (!offload->closed) {
        queue_push(&offload->finished, job);
        uv_async_send(offload->async);
        return;
    }
    pthread_mutex_unlock(&offload->mutex);
    job->discard(job);
    pthread_mutex_lock(&offload->mutex);
}

static void *thread_main(void *argument)
{
    struct offload *offload = argument;
    pthread_mutex_lock(&offload->mutex);
    for (;;) {
        struct offload_job *job = queue_pop(&offload->waiting);
        if (!job)
            break;
        pthread_mutex_unlock(&offload->mutex);
        job->work(job);
        pthread_mutex_lock(&offload->mutex);
        finish_job(offload, job);
    }
    offload->threads--;
    release(offload);
    atomic_fetch_sub(&threads_at_work, 1);
    return NULL;
}

static void on_async(uv_async_t *async)
{
    struct offload *offload = async->data;
    pthread_mutex_lock(&offload->mutex);
    struct offload_job *job;
    while ((job = queue_pop(&offload->finished))) {
        pthread_mutex_unlock(&offload->mutex);
        job->done(job);
        pthread_mutex_lock(&offload->mutex);
        if (offload->closed)
            break;
    }
    pthread_mutex_unlock(&offload->mutex);
}

enum status offload_new(
    uv_loop_t *loop, unsigned threads_max, struct offload **ret, struct error *err)
{
    struct offload *offload = mem_alloc_zero(1, sizeof(*offload));
    offload->async = mem_alloc_zero(1, sizeof(*offload->async));
    int rc = uv_async_init(loop, offload->async, on_async);
    if (rc) {
        mem_free(offload->async);
        mem_free(offload);
        return error_set(err, ERR_IO, "cannot make a handle of the loop: %s", uv_strerror(rc));
    }
    pthread_mutex_init(&offload->mutex, NULL);
    offload->async->data = offload;
    offload->references = 1;
    offload->threads_max = threads_max;
    queue_init(&offload->waiting);
    queue_init(&offload->finished);
    *ret = offload;
    return OK;
}

/* With the mutex held.  Without a new thread the running ones take the job, or the next call does.
 */
static void start_thread(struct offload *offload)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, OFFLOAD_STACK_SIZE);
    offload->threads++;
    offload->references++;
    atomic_fetch_add(&threads_at_work, 1);
    if (pthread_create(&thread, &attributes, thread_main, offload)) {
        offload->threads--;
        offload->references--;
        atomic_fetch_sub(&threads_at_work, 1);
        assert(offload->threads > 0 && "the system gives no thread at all");
    }
    pthread_attr_destroy(&attributes);
}

bool offload_at_work(void)
{
    return atomic_load(&threads_at_work) > 0;
}

void offload_run(struct offload *offload, struct offload_job *job)
{
    pthread_mutex_lock(&offload->mutex);
    assert(!offload->closed);
    queue_push(&offload->waiting, job);
    if (offload->threads < offload->threads_max)
        start_thread(offload);
    pthread_mutex_unlock(&offload->mutex);
}

static void on_close(uv_handle_t *handle)
{
    struct offload *offload = handle->data;
    void (*closed)(void *user) = offload->on_closed;
    void *user = offload->user;
    mem_free(handle);
    pthread_mutex_lock(&offload->mutex);
    offload->async = NULL;
    release(offload);
    if (closed)
        closed(user);
}

void offload_free(struct offload *offload, void (*closed)(void *user), void *user)
{
    pthread_mutex_lock(&offload->mutex);
    offload->closed = true;
    offload->on_closed = closed;
    offload->user = user;
    struct queue waiting = offload->waiting, finished = offload->finished;
    queue_init(&offload->waiting);
    queue_init(&offload->finished);
    pthread_mutex_unlock(&offload->mutex);
    for (struct offload_job *job = waiting.first, *next; job; job = next) {
        next = job->next;
        job->discard(job);
    }
    for (struct offload_job *job = finished.first, *next; job; job = next) {
        next = job->next;
        job->discard(job);
    }
    uv_close((uv_handle_t *)offload->async, on_close);
}
