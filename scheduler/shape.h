/*
 * What is derived once from each version of a DAG: leaves, the scopes of setups, and where each of
 * its tasks queues for slots.  Shared by all live runs of the version.
 */
#ifndef SCHEDULER_SHAPE_H
#define SCHEDULER_SHAPE_H

#include "definition/model/model.h"

struct lane; /* scheduler/slots.h */

struct task_shape {
    struct indexes setups;    /* in whose scope it is: they must succeed before it runs */
    struct indexes scoped;    /* of a setup: the tasks in its scope */
    uint32_t setup_upstreams; /* setups among its direct upstreams */
    bool leaf;                /* decides the run */
    struct lane *lane;        /* NULL until a task of this kind was ready */
};

struct shape {
    int references;
    struct dag *dag; /* counted */
    struct arena *arena;
    struct task_shape *tasks;
    const char *version; /* the DAG's */
};

/* Takes a reference to the DAG. */
struct shape *shape_new(const struct dag *dag);
struct shape *shape_ref(struct shape *shape);
void shape_unref(struct shape *shape); /* NULL is fine */

#endif
