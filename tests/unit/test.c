#include <stdlib.h>
#include "tests/unit/test.h"

enum { TESTS_MAX = 1000 };
static struct {
    const char *name;
    void (*function)(void);
} tests[TESTS_MAX];
static size_t test_count;
static size_t checks, failures;

size_t test_failures(void)
{
    return failures;
}

void test_register(const char *name, void (*function)(void))
{
    if (test_count == TESTS_MAX)
        abort();
    tests[test_count].name = name;
    tests[test_count++].function = function;
}

bool test_check(bool ok, const char *file, int line, const char *expression)
{
    checks++;
    if (!ok) {
        failures++;
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, expression);
    }
    return ok;
}

bool test_check_int(intmax_t got, intmax_t want, const char *file, int line, const char *expression)
{
    if (test_check(got == want, file, line, expression))
        return true;
    fprintf(stderr, "  got  %jd\n  want %jd\n", got, want);
    return false;
}

bool test_check_str(
    const char *got, const char *want, const char *file, int line, const char *expression)
{
    bool same = got && want ? strcmp(got, want) == 0 : got == want;
    if (test_check(same, file, line, expression))
        return true;
    fprintf(stderr, "  got  \"%s\"\n  want \"%s\"\n", got ? got : "(null)", want ? want : "(null)");
    return false;
}

bool test_check_ok(
    enum status status, const struct error *err, const char *file, int line, const char *expression)
{
    if (test_check(status == OK, file, line, expression))
        return true;
    struct strbuf text = {0};
    if (err)
        error_format(err, "error", &text);
    fprintf(stderr, "  %s: %s", status_info(status)->name, strbuf_text(&text));
    strbuf_done(&text);
    return false;
}

void test_require_failed(void)
{
    fprintf(stderr, "a required condition failed: stopping\n");
    exit(1);
}

static bool chosen(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i]))
            return true;
    return argc < 2;
}

int main(int argc, char **argv)
{
    size_t run = 0;
    for (size_t i = 0; i < test_count; i++) {
        if (!chosen(tests[i].name, argc, argv))
            continue;
        size_t checks_before = checks, failures_before = failures;
        tests[i].function();
        run++;
        if (checks == checks_before) {
            failures++;
            fprintf(stderr, "%s: made no check\n", tests[i].name);
        }
        printf("%s %s\n", failures == failures_before ? "ok  " : "FAIL", tests[i].name);
    }
    printf("%zu tests, %zu checks, %zu failures\n", run, checks, failures);
    return failures || run == 0 ? 1 : 0;
}
