/* What a back end of the store implements; see store.h for what each call does. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/record.h"
#include "store/store.h"

/* A condition on rows of a record table, the only shapes that reads need. */
struct record_query {
    const struct record_table *table;
    struct record_condition {
        const char *column;
        enum { IS, IS_ANY_OF_STATES, AT_LEAST, AT_MOST, BELOW } op;
        enum { BY_TEXT, BY_INT } by;
        const char *text;
        int64_t number;
        unsigned states; /* bits of enum run_state */
    } conditions[8];
    size_t condition_count;
    const char *order_by[3]; /* columns; NULL ends */
    bool descending;
    size_t limit;
};

/* Rows of the query's table as an array of its struct, in the arena. */
struct record_rows {
    void *at;
    size_t count;
};

struct store_backend {
    void (*close)(struct store *store);
    enum status (*apply)(
        struct store *store, const struct plan *plan, int64_t batch, struct error *err);
    enum status (*last_batch)(struct store *store, int64_t *ret, struct error *err);
    enum status (*meta)(struct store *store, struct store_meta *ret, struct error *err);
    enum status (*select)(struct store *store, const struct record_query *query,
        struct arena *arena, struct record_rows *ret, struct error *err);
};

/* The head of every back end's struct. */
struct store {
    const struct store_backend *backend;
};

/* The history rows that a change leaves behind: none, or one (strings live as long as the change).
 */
bool change_transition(const struct change *change, struct transition_record *ret);

#endif
