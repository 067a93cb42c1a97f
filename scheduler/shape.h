/*
 * What is derived once from each version of a DAG: leaves, the scopes of setups and of decisions,
 * and where each of its tasks queues for slots.  Shared by all live runs of the version.
 */
#ifndef SCHEDULER_SHAPE_H
#define SCHEDULER_SHAPE_H

#include "definition/model/model.h"

struct lane; /* scheduler/slots.h */

struct task_shape {
    struct indexes setups;    /* in whose scope it is: they must succeed before it runs */
    struct indexes scoped;    /* of a setup: the tasks in its scope */
    struct indexes decides;   /* of a branch or its like: the tasks that it may skip, ascending */
    struct indexes deciders;  /* that may skip it, by a decision */
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

/* Marks everything after (or before) `from`, without `from` itself, and stops at what is marked.
   `stack` has room for every task and one more. */
void shape_mark_relatives(
    const struct dag *dag, uint32_t from, bool after, bool *marks, uint32_t *stack);

#endif
