#include "base/temporary.h"
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/file.h"
#include "tests/unit/test.h"

TEST(a_folder_is_left_when_its_process_is_gone)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    const char *mine, **left;
    REQUIRE_OK(temporary_make("unit", arena, &mine, &err), &err);
    CHECK(dir_exists(mine));
    CHECK_INT(temporary_left("unit", arena, &left), 0);
    pid_t child = fork();
    if (child == 0) {
        const char *folder;
        _exit(temporary_make("unit", arena, &folder, &err) == OK ? 0 : 1);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
    CHECK_INT(temporary_left("other", arena, &left), 0);
    REQUIRE(temporary_left("unit", arena, &left) == 1);
    CHECK(strstr(left[0], "dag-unit-") != NULL);
    CHECK(!str_equal(left[0], mine));
    const char *file = path_join(arena, left[0], "a");
    REQUIRE_OK(file_write(file, slice_of("x"), 0600, false, &err), &err);
    temporary_remove(left[0]);
    CHECK(!dir_exists(left[0]));
    CHECK_INT(temporary_left("unit", arena, &left), 0);
    CHECK(dir_exists(mine));
    const char *reused = arena_printf(arena, "%s/dag-unit-%ld-1-abcdef", path_dir(arena, mine),
        (long)getpid()); /* the number has come again */
    REQUIRE_OK(dir_make(reused, true, &err), &err);
    REQUIRE(temporary_left("unit", arena, &left) == 1);
    CHECK_STR(left[0], reused);
    temporary_remove(reused);
    temporary_remove(mine);
    temporary_remove(NULL);
    CHECK(!dir_exists(mine));
}
