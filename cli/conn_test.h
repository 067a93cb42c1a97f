/* dag conn test. */
#ifndef CLI_CONN_TEST_H
#define CLI_CONN_TEST_H

#include "cli/cli.h"
#include "executor/target/check.h"

/* Tries all of them at the same time, within CONNECT_DEADLINE_MS, and tells what came of each. */
enum status conn_try(const struct connection *const *connections, size_t count, struct arena *arena,
    void (*told)(void *user, const char *name, const struct checked *checked), void *user,
    struct error *err) MUST_CHECK;
/* Tries all of them at the same time, within CONNECT_DEADLINE_MS, and prints what came of each.
   ERR_CONNECTION_FAILED when one failed. */
enum status conn_test(struct cli *cli, const struct connection *const *connections, size_t count,
    struct error *err) MUST_CHECK;

#endif
