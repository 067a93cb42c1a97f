/*
 * The unit tests' harness.  A file is a program:
 *
 *     TEST(a_sentence_in_the_users_words) { CHECK(x == 3); CHECK_STR(text, "abc"); }
 *
 * Each TEST runs in order; a failed CHECK is reported with its values and the test goes on, a
 * failed REQUIRE ends the program.  A test without any check fails.  Arguments choose tests by
 * a part of their name.
 */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/error.h"
#include "base/memory.h"

void test_register(const char *name, void (*function)(void));
bool test_check(bool ok, const char *file, int line, const char *expression);
bool test_check_int(
    intmax_t got, intmax_t want, const char *file, int line, const char *expression);
bool test_check_str(
    const char *got, const char *want, const char *file, int line, const char *expression);
bool test_check_ok(enum status status, const struct error *err, const char *file, int line,
    const char *expression);
/* How many checks have failed so far: for tests that tell more then. */
size_t test_failures(void);
void test_require_failed(void) __attribute__((noreturn));

#define TEST(name)                                                                                 \
    static void test_##name(void);                                                                 \
    __attribute__((constructor)) static void register_##name(void)                                 \
    {                                                                                              \
        test_register(#name, test_##name);                                                         \
    }                                                                                              \
    static void test_##name(void)

#define CHECK(e) test_check((e), __FILE__, __LINE__, #e)
#define CHECK_INT(got, want) test_check_int((got), (want), __FILE__, __LINE__, #got)
#define CHECK_STR(got, want) test_check_str((got), (want), __FILE__, __LINE__, #got)
/* The call must succeed; its error is printed otherwise. */
#define CHECK_OK(call, err) test_check_ok((call), (err), __FILE__, __LINE__, #call)
#define REQUIRE(e)                                                                                 \
    ((e) ? (void)test_check(true, "", 0, "")                                                       \
         : (test_check(false, __FILE__, __LINE__, #e), test_require_failed()))
#define REQUIRE_OK(call, err)                                                                      \
    (test_check_ok((call), (err), __FILE__, __LINE__, #call) ? (void)0 : test_require_failed())

#endif
