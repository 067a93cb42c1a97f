/*
 * `dag test --watch`: which tests a saved file concerns.
 *
 * A test is known by its text, the files beside it that it names, and its DAG's version, which is
 * that of everything the DAG's tasks are made of; it is run again when one of these is another.
 * Migrations concern all tests; dag.yaml is read once.
 */
#ifndef CLI_TEST_WATCH_H
#define CLI_TEST_WATCH_H

#include "cli/cli.h"
#include "testing/scratch.h"
#include "testing/testfile.h"

struct test_watch;

struct test_watch *test_watch_new(struct cli *cli);
void test_watch_free(struct test_watch *watch);
/* Watches the project's folders as they are now; before the files are read, so that no change is
   missed. */
void test_watch_begin(struct test_watch *watch);
/* Leaves the tests that are not as they were when this was last called; at first all.  *scratch
   is made where it is NULL, and then all are left; it is made anew when migrations changed. */
enum status test_watch_filter(struct test_watch *watch, sql_tests *tests, struct scratch **scratch,
    struct error *err) MUST_CHECK;
/* Waits for a change of any file of the project's; false: interrupted. */
bool test_watch_wait(struct test_watch *watch);

#endif
