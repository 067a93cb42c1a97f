#include "executor/target/cancelling.h"

struct cancelling {
    struct offload_job job;
    PGcancel *cancel;
    bool sent;
    char message[256];
    void *user; /* touched on the loop only */
    void (*done)(void *user, const char *trouble);
};

static void on_work(struct offload_job *base)
{
    struct cancelling *c = CONTAINER_OF(base, struct cancelling, job);
    c->sent = c->cancel && PQcancel(c->cancel, c->message, sizeof(c->message));
}

static void on_discard(struct offload_job *base)
{
    struct cancelling *c = CONTAINER_OF(base, struct cancelling, job);
    PQfreeCancel(c->cancel);
    mem_free(c);
}

static void on_done(struct offload_job *base)
{
    struct cancelling *c = CONTAINER_OF(base, struct cancelling, job);
    if (c->done)
        c->done(c->user, c->sent ? NULL : c->message);
    on_discard(base);
}

struct cancelling *cancelling_start(struct offload *offload, struct session *session, void *user,
    void (*done)(void *user, const char *trouble))
{
    struct cancelling *c = mem_alloc_zero(1, sizeof(*c));
    c->job = (struct offload_job){.work = on_work, .done = on_done, .discard = on_discard};
    c->cancel = session_cancel_handle(session);
    c->user = user;
    c->done = done;
    offload_run(offload, &c->job);
    return c;
}

void cancelling_forget(struct cancelling *cancelling)
{
    if (cancelling)
        cancelling->done = NULL;
}
