/*
 * The leader lock: one leader per project.  A lock of the whole file on `<state>/leader.lock`, held
 * for as long as its descriptor is open, so that it goes with the process however it ends.  The
 * file names its holder for people.
 */
#ifndef DAEMON_LOCK_H
#define DAEMON_LOCK_H

#include "base/error.h"

/* Makes the state directory (mode 0700) when missing and takes the lock; `who` is "dag up" or
   "dag run".  ERR_LEADER_RUNNING names the holder.  *ret_fd is the caller's: lock_release. */
enum status lock_take(
    const char *state, const char *who, int *ret_fd, struct error *err) MUST_CHECK;
void lock_release(int fd);
/* Whether somebody holds the lock now. */
bool lock_is_held(const char *state);

#endif
