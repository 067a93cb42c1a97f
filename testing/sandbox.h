/* The sandbox as the server for tests. */
#ifndef TESTING_SANDBOX_H
#define TESTING_SANDBOX_H

#include <stdbool.h>
#include "base/error.h"
#include "definition/model/model.h"

/* Its database to copy: PostGIS, PL/Python and the stand-ins for MADlib are in it. */
#define TEST_SANDBOX_TEMPLATE "geolife_template"
/* How: a checkpoint costs less there than writing each page twice, into the WAL and the copy. */
#define TEST_SANDBOX_STRATEGY " STRATEGY file_copy"

struct test_sandbox {
    const char *uri;     /* of a database that nobody copies; NULL until asked for; secret */
    const char *program; /* the command `sandbox` */
    const char *folder;  /* of the one that was started for the tests; NULL = none was */
};

/* The uri of the project's sandbox when it runs; else of one that is started in a temporary folder
   and destroyed by test_sandbox_stop.  Called again it changes nothing.  ERR_SCRATCH says what is
   missing. */
enum status test_sandbox_start(struct test_sandbox *sandbox, const struct project *project,
    struct arena *arena, struct error *err) MUST_CHECK;
void test_sandbox_stop(struct test_sandbox *sandbox);

#endif
