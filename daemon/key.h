/*
 * The keys that seal stored secrets: of DAG_KEY, of the file that DAG_KEY_FILE names, or of `key`
 * in the state directory, which is made when a secret is stored for the first time.
 */
#ifndef DAEMON_KEY_H
#define DAEMON_KEY_H

#include "base/seal.h"

struct key_ring {
    struct seal_keys keys; /* none: there is no key yet */
    const char *source;    /* for people: "DAG_KEY", or the file's path */
    bool own;              /* the file is the state directory's: dag makes and changes it */
};

/* Without a key of one's own (`own` and no keys) it is OK; a file that DAG_KEY_FILE names has to be
   there.  ERR_KEY, ERR_IO. */
enum status key_load(
    const char *state, struct arena *arena, struct key_ring *ret, struct error *err) MUST_CHECK;
/* Puts a new key before those of the ring, in the state directory's file too (mode 0600). */
enum status key_make(struct key_ring *ring, struct error *err) MUST_CHECK;
/* Forgets all keys but the first, in the file too. */
enum status key_drop_old(struct key_ring *ring, struct error *err) MUST_CHECK;

#endif
