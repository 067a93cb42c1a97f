/* The fuzz target's corpus, run as an ordinary test; the target itself checks the results. */
#include "base/file.h"
#include "tests/unit/test.h"
#include "tests/fuzz/template/fuzz.c"

TEST(the_fuzz_corpus_runs_clean)
{
    static const char dir[] = DAG_SOURCE_DIR "/tests/fuzz/template/corpus";
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    const char **paths;
    size_t count;
    struct error err;
    REQUIRE_OK(dir_list(dir, "", arena, &paths, &count, &err), &err);
    CHECK(count >= 10);
    for (size_t i = 0; i < count; i++) {
        struct slice text;
        REQUIRE_OK(file_read(path_join(arena, dir, paths[i]), 1 << 20, arena, &text, &err), &err);
        /* Every beginning of a template is a case too. */
        for (size_t size = 0; size <= text.size; size++)
            CHECK(LLVMFuzzerTestOneInput((const uint8_t *)text.p, size) == 0);
    }
}
