/* dag conn test. */
#ifndef CLI_CONN_TEST_H
#define CLI_CONN_TEST_H

#include "cli/cli.h"

/* Tries all of them at the same time, within CONNECT_DEADLINE_MS, and prints what came of each.
   ERR_CONNECTION_FAILED when one failed. */
enum status conn_test(struct cli *cli, const struct connection *const *connections, size_t count,
    struct error *err) MUST_CHECK;

#endif
