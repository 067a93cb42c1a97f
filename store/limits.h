/* Ceilings of the store. */
#ifndef STORE_LIMITS_H
#define STORE_LIMITS_H

enum {
    STORE_ROWS_MAX = 100000,      /* rows of one read: bounds a reader's memory */
    STORE_BATCHES_MAX = 64,       /* uncommitted batches: beyond that no event is taken in */
    STORE_CLEAN_ROWS = 500,       /* deleted in one transaction: a commit waits a few ms for it */
    STORE_BUSY_TIMEOUT_MS = 5000, /* how long a reader waits for a checkpoint */
};

#endif
