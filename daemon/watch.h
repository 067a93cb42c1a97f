/*
 * File watching: calls back on the loop when something in the folders changed.  The kernel tells
 * (inotify); folders it cannot watch are looked at every few seconds.
 */
#ifndef DAEMON_WATCH_H
#define DAEMON_WATCH_H

#include <uv.h>
#include "definition/model/model.h"

struct watch;

struct watch *watch_new(uv_loop_t *loop, void (*changed)(void *user), void *user);
/* Watches these folders from now on, and no others.  True when some are new: what was written into
   them before now was not told, so the owner looks at them again. */
bool watch_set(struct watch *watch, const struct names *folders);
/* Whether some folder cannot be watched, so that it must be looked at. */
bool watch_must_poll(const struct watch *watch);
/* Closes all handles; the memory goes when the loop has closed them. */
void watch_free(struct watch *watch);

#endif
