#include "executor/target/connecting.h"

struct connecting {
    struct offload_job job;
    struct arena *arena;
    struct connection *connection;
    const char *application_name;
    struct connected connected;
    enum status status;
    struct error err;
    void *user; /* touched on the loop only */
    void (*done)(void *user, const struct connection *connection, struct connected *connected,
        const struct error *err);
};

static void free_connecting(struct connecting *c)
{
    PQfinish(c->connected.conn);
    arena_free(c->arena);
    mem_free(c);
}

static void on_work(struct offload_job *base)
{
    struct connecting *c = CONTAINER_OF(base, struct connecting, job);
    c->status = connect_blocking(c->connection, c->application_name, &c->connected, &c->err);
}

static void on_discard(struct offload_job *base)
{
    free_connecting(CONTAINER_OF(base, struct connecting, job));
}

static void on_done(struct offload_job *base)
{
    struct connecting *c = CONTAINER_OF(base, struct connecting, job);
    struct connected connected = c->connected;
    c->connected.conn = NULL; /* the caller's */
    c->done(c->user, c->connection, &connected, c->status == OK ? NULL : &c->err);
    free_connecting(c);
}

void connecting_start(struct offload *offload, const struct connection *connection,
    const char *application_name, void *user,
    void (*done)(void *user, const struct connection *connection, struct connected *connected,
        const struct error *err))
{
    struct connecting *c = mem_alloc_zero(1, sizeof(*c));
    c->job = (struct offload_job){.work = on_work, .done = on_done, .discard = on_discard};
    c->arena = arena_new();
    c->connection = connection_copy(connection, c->arena);
    c->application_name = arena_strdup(c->arena, application_name);
    c->user = user;
    c->done = done;
    offload_run(offload, &c->job);
}
