#include "executor/target/target.h"

#include <assert.h>

#include "base/vec.h"
#include "executor/limits.h"
#include "executor/target/connecting.h"

/* A session at rest or being cleaned. */
struct rest {
    struct target *target;
    struct session *session;
    bool fresh, cleaning;
    int64_t since_us;
};

struct target {
    struct targets *targets;
    struct arena *arena;
    struct connection *connection;
    bool stale, keeps_state, burns;
    unsigned busy, connecting;
    VEC(struct rest *) rests; /* newest last */
    struct acquire *first, **last;
    struct timer *sweep;
    bool sweeping;
};

struct targets {
    struct handles *handles;
    struct offload *connects;
    VEC(struct target *) all;
};

struct acquire {
    struct acquire *next;
    struct target *target;
    struct timer *deadline;
    bool fresh;
    void *user;
    void (*done)(void *user, struct session *session, const struct error *err);
};

static void start_connect(struct target *target);

/* ---- at rest --------------------------------------------------------------------------------- */

static void drop_rest(struct rest *rest)
{
    struct target *target = rest->target;
    for (size_t i = 0; i < target->rests.count; i++) {
        if (target->rests.at[i] == rest) {
            vec_remove(&target->rests, i);
            break;
        }
    }
    mem_free(rest);
}

static void on_idle_lost(void *user)
{
    struct rest *rest = user;
    session_close(rest->session);
    drop_rest(rest);
}

static unsigned count_rests(const struct target *target, bool fresh)
{
    unsigned count = 0;
    for (size_t i = 0; i < target->rests.count; i++)
        count += !target->rests.at[i]->cleaning && (!fresh || target->rests.at[i]->fresh);
    return count;
}

static void on_sweep(void *user)
{
    struct target *target = user;
    int64_t old_us = clock_now().mono_us - SESSION_IDLE_MS * US_PER_MS;
    for (size_t i = target->rests.count; i-- > 0;) {
        struct rest *rest = target->rests.at[i];
        if (!rest->cleaning && rest->since_us <= old_us) {
            session_close(rest->session);
            drop_rest(rest);
        }
    }
    target->sweeping = target->rests.count > 0;
    if (target->sweeping)
        timer_start(target->sweep, SESSION_IDLE_MS / 2);
}

static struct rest *add_rest(struct target *target, struct session *session, bool fresh)
{
    struct rest *rest = mem_alloc_zero(1, sizeof(*rest));
    *rest = (struct rest){.target = target, .session = session, .fresh = fresh};
    rest->since_us = clock_now().mono_us;
    vec_push(&target->rests, rest);
    session_set_user(session, &(struct session_user){.user = rest, .idle_lost = on_idle_lost});
    if (!target->sweeping) {
        target->sweeping = true;
        timer_start(target->sweep, SESSION_IDLE_MS / 2);
    }
    return rest;
}

/* ---- waiting for one ------------------------------------------------------------------------- */

static void unlink_acquire(struct acquire *acquire)
{
    struct target *target = acquire->target;
    for (struct acquire **at = &target->first; *at; at = &(*at)->next) {
        if (*at != acquire)
            continue;
        *at = acquire->next;
        if (target->last == &acquire->next)
            target->last = at;
        break;
    }
    timer_free(acquire->deadline);
}

static void answer(struct acquire *acquire, struct session *session, const struct error *err)
{
    unlink_acquire(acquire);
    if (session)
        acquire->target->busy++;
    acquire->done(acquire->user, session, err);
    mem_free(acquire);
}

static void on_deadline(void *user)
{
    struct acquire *acquire = user;
    struct error err;
    error_set(&err, ERR_TIMEOUT, "cannot connect to `%s`: no answer within %d seconds",
        acquire->target->connection->name, CONNECT_DEADLINE_MS / 1000);
    answer(acquire, NULL, &err);
}

/* Hands a session that has come free to the first that waits for one of its kind, or lets it rest.
 */
static void offer(struct target *target, struct session *session, bool fresh)
{
    for (struct acquire *acquire = target->first; acquire; acquire = acquire->next) {
        if (fresh || !acquire->fresh) {
            answer(acquire, session, NULL);
            return;
        }
    }
    if (target->stale)
        session_close(session);
    else
        add_rest(target, session, fresh);
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* What waits is to get a session: a used one that is being cleaned, unless it wants a fresh one, or
   one that is being connected. */
static void connect_for_waiting(struct target *target)
{
    unsigned waiting = 0, fresh = 0, cleaning = 0;
    for (struct acquire *acquire = target->first; acquire; acquire = acquire->next) {
        waiting++;
        fresh += acquire->fresh;
    }
    vec_each (rest, &target->rests)
        cleaning += (*rest)->cleaning;
    while (target->connecting < fresh || target->connecting + cleaning < waiting)
        start_connect(target);
}

static void on_connected(void *user, const struct connection *connection,
    struct connected *connected, const struct error *err)
{
    (void)connection;
    struct target *target = user;
    struct session *session = NULL;
    struct error failure;
    target->connecting--;
    if (!err) {
        target->keeps_state = connected->facts.keeps_state;
        if (session_new(target->targets->handles, connected, &session, &failure) != OK)
            err = &failure;
    }
    if (session)
        offer(target, session, true);
    else if (target->first)
        answer(target->first, NULL, err);
    connect_for_waiting(target); /* it may have gone to one that waited for a used one */
}

static void start_connect(struct target *target)
{
    target->connecting++;
    connecting_start(target->targets->connects, target->connection, "dag", target, on_connected);
}

/* Keeps fresh sessions ready while sessions are used up. */
static void replenish(struct target *target)
{
    unsigned waiting = 0;
    for (struct acquire *acquire = target->first; acquire; acquire = acquire->next)
        waiting++;
    unsigned wanted = target->busy < SESSION_SPARE_MAX ? target->busy : SESSION_SPARE_MAX;
    if (!target->burns || target->stale)
        wanted = 0;
    unsigned coming = target->connecting > waiting ? target->connecting - waiting : 0;
    for (unsigned have = count_rests(target, true) + coming; have < wanted; have++)
        start_connect(target);
}

/* ---- taking and giving back ------------------------------------------------------------------ */

struct session *target_take(struct target *target, bool fresh)
{
    struct rest *found = NULL;
    for (size_t i = target->rests.count; i-- > 0;) {
        struct rest *rest = target->rests.at[i];
        if (rest->cleaning || (fresh && !rest->fresh))
            continue;
        /* Used ones first: fresh ones are for those that need them. */
        if (!found || (found->fresh && !rest->fresh))
            found = rest;
    }
    if (!found)
        return NULL;
    struct session *session = found->session;
    drop_rest(found);
    target->busy++;
    replenish(target);
    return session;
}

struct acquire *target_acquire(struct target *target, bool fresh, void *user,
    void (*done)(void *user, struct session *session, const struct error *err))
{
    struct acquire *acquire = mem_alloc_zero(1, sizeof(*acquire));
    *acquire = (struct acquire){.target = target, .fresh = fresh, .user = user, .done = done};
    acquire->deadline = timer_new(target->targets->handles, on_deadline, acquire);
    timer_start(acquire->deadline, CONNECT_DEADLINE_MS);
    *target->last = acquire;
    target->last = &acquire->next;
    connect_for_waiting(target);
    return acquire;
}

void target_acquire_cancel(struct acquire *acquire)
{
    unlink_acquire(acquire);
    mem_free(acquire);
}

static void on_cleaned(void *user, const struct query_end *end)
{
    struct rest *rest = user;
    struct target *target = rest->target;
    struct session *session = rest->session;
    bool good = !end->lost && !end->error && end->transaction == PQTRANS_IDLE;
    drop_rest(rest);
    if (good)
        offer(target, session, false);
    else
        session_close(session);
    connect_for_waiting(target);
}

static void start_cleaning(struct target *target, struct session *session)
{
    struct rest *rest = add_rest(target, session, false);
    rest->cleaning = true;
    session_set_user(session, &(struct session_user){.user = rest, .done = on_cleaned});
    session_query(session, "DISCARD ALL");
}

void target_release(struct target *target, struct session *session, bool clean)
{
    assert(target->busy > 0);
    target->busy--;
    target->burns = !clean;
    if (clean && !target->stale)
        start_cleaning(target, session);
    else
        session_close(session);
    replenish(target);
}

/* ---- all of them ----------------------------------------------------------------------------- */

struct targets *targets_new(struct handles *handles, struct offload *connects)
{
    struct targets *targets = mem_alloc_zero(1, sizeof(*targets));
    targets->handles = handles;
    targets->connects = connects;
    return targets;
}

static void free_target(struct target *target)
{
    while (target->rests.count) {
        session_close(target->rests.at[0]->session);
        drop_rest(target->rests.at[0]);
    }
    while (target->first)
        target_acquire_cancel(target->first);
    vec_done(&target->rests);
    timer_free(target->sweep);
    arena_free(target->arena);
    mem_free(target);
}

void targets_free(struct targets *targets)
{
    vec_each (target, &targets->all)
        free_target(*target);
    vec_done(&targets->all);
    mem_free(targets);
}

static struct target *new_target(struct targets *targets, const struct connection *connection)
{
    struct target *target = mem_alloc_zero(1, sizeof(*target));
    target->targets = targets;
    target->arena = arena_new();
    target->connection = connection_copy(connection, target->arena);
    target->last = &target->first;
    /* Until a session has told: as if it kept state. */
    target->keeps_state = target->burns = true;
    target->sweep = timer_new(targets->handles, on_sweep, target);
    vec_push(&targets->all, target);
    return target;
}

/* Settings of statements (search_path …) are the attempt's business and may differ. */
static bool same_server(const struct connection *a, const struct connection *b)
{
    return str_equal(a->uri, b->uri) && a->dialect == b->dialect && a->ledger == b->ledger &&
           str_equal(a->ledger_schema, b->ledger_schema);
}

struct target *targets_find(struct targets *targets, const struct connection *connection)
{
    struct target *found = NULL;
    vec_each (target, &targets->all) {
        if (!str_equal((*target)->connection->name, connection->name) || (*target)->stale)
            continue;
        if (same_server((*target)->connection, connection))
            found = *target;
        else
            (*target)->stale = true;
    }
    return found ? found : new_target(targets, connection);
}

const struct connection *target_connection(const struct target *target)
{
    return target->connection;
}

bool target_keeps_state(const struct target *target)
{
    return target->keeps_state;
}

void target_set_keeps_state(struct target *target, bool keeps_state)
{
    target->keeps_state = keeps_state;
}
