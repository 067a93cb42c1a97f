#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/embedded.h"
#include "base/file.h"
#include "tests/unit/test.h"

/* A folder of the test's own, removed at its end. */
static char *folder_new(struct arena *arena)
{
    const char *root = getenv("TMPDIR");
    char *path = arena_printf(arena, "%s/dag-file-test.XXXXXX", root ? root : "/tmp");
    REQUIRE(mkdtemp(path));
    return path;
}

static void put(struct arena *arena, const char *dir, const char *name, const char *text)
{
    struct error err;
    char *path = path_join(arena, dir, name);
    REQUIRE_OK(dir_make(path_dir(arena, path), false, &err), &err);
    REQUIRE_OK(file_write(path, slice_of(text), 0644, false, &err), &err);
}

TEST(a_file_is_written_and_read_back_whole)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char *dir = folder_new(arena), *path = path_join(arena, dir, "a.txt");
    struct error err;
    struct slice text;
    struct stat info;
    CHECK_OK(file_write(path, slice_make("a\0b", 3), 0600, true, &err), &err);
    REQUIRE_OK(file_read(path, 3, arena, &text, &err), &err);
    CHECK(text.size == 3 && memcmp(text.p, "a\0b", 4) == 0);
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600);
    CHECK_OK(file_write(path, slice_of("second"), 0644, false, &err), &err);
    REQUIRE_OK(file_read(path, 1000, arena, &text, &err), &err);
    CHECK(slice_equal_str(text, "second"));
    CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0644);
    CHECK_OK(file_write(path, (struct slice){0}, 0644, false, &err), &err);
    REQUIRE_OK(file_read(path, 0, arena, &text, &err), &err);
    CHECK(text.size == 0 && text.p[0] == '\0');
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(dir), 0); /* which fails when a temporary file was left */
}

TEST(a_large_file_is_read_and_its_ceiling_holds)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char *dir = folder_new(arena), *path = path_join(arena, dir, "large");
    CLEANUP(strbuf_done) struct strbuf content = {0};
    strbuf_add_repeat(&content, 'x', 300001);
    struct error err;
    struct slice text;
    REQUIRE_OK(file_write(path, slice_make(content.text, content.size), 0644, false, &err), &err);
    REQUIRE_OK(file_read(path, 300001, arena, &text, &err), &err);
    CHECK(text.size == 300001 && text.p[300000] == 'x');
    CHECK_INT(file_read(path, 300000, arena, &text, &err), ERR_LIMIT);
    CHECK(strstr(err.message, "300000 bytes"));
    unlink(path);
    rmdir(dir);
}

TEST(a_file_whose_size_is_not_known_has_its_ceiling_too)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct error err;
    struct slice text;
    CHECK_OK(file_read("/proc/self/status", 1 << 20, arena, &text, &err), &err);
    CHECK(text.size > 100);
    CHECK_INT(file_read("/proc/self/status", 100, arena, &text, &err), ERR_LIMIT);
}

TEST(what_cannot_be_read_or_written_says_why)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char *dir = folder_new(arena), *pipe_path = path_join(arena, dir, "pipe");
    struct error err;
    struct slice text;
    CHECK_INT(file_read(path_join(arena, dir, "none"), 10, arena, &text, &err), ERR_NOT_FOUND);
    CHECK(strstr(err.message, "No such file"));
    CHECK_INT(file_read(dir, 10, arena, &text, &err), ERR_IO);
    REQUIRE(mkfifo(pipe_path, 0600) == 0);
    CHECK_INT(file_read(pipe_path, 10, arena, &text, &err), ERR_IO);
    CHECK(strstr(err.message, "not a regular file"));
    CHECK(file_write(path_join(arena, dir, "no/x"), text, 0600, false, &err) != OK);
    CHECK(file_write(dir, slice_of("x"), 0600, false, &err) != OK);
    unlink(pipe_path);
    CHECK_INT(rmdir(dir), 0);
}

TEST(folders_are_made_with_their_parents)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char *dir = folder_new(arena), *deep = path_join(arena, dir, "a/b//c");
    struct error err;
    struct stat info;
    CHECK_OK(dir_make(deep, true, &err), &err);
    CHECK(dir_exists(deep) && !file_exists(deep));
    CHECK(stat(deep, &info) == 0 && (info.st_mode & 0777) == 0700);
    CHECK_OK(dir_make(deep, false, &err), &err);
    put(arena, dir, "file", "x");
    CHECK(dir_make(path_join(arena, dir, "file"), false, &err) != OK);
    CHECK(dir_make(path_join(arena, dir, "file/x"), false, &err) != OK);
    unlink(path_join(arena, dir, "file"));
    rmdir(deep);
    rmdir(path_join(arena, dir, "a/b"));
    rmdir(path_join(arena, dir, "a"));
    CHECK_INT(rmdir(dir), 0);
}

TEST(a_listing_is_sorted_deep_and_without_hidden_names)
{
    static const char *const names[] = {"b.yaml", "a.yaml", "sub/c.yaml", "a.txt", "_skip.yaml",
        ".hidden.yaml", "_sub/d.yaml", "a-b/e.yaml"};
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    char *dir = folder_new(arena);
    struct error err;
    const char **paths;
    size_t count;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        put(arena, dir, names[i], "x");
    REQUIRE_OK(dir_list(dir, ".yaml", arena, &paths, &count, &err), &err);
    REQUIRE(count == 4);
    CHECK_STR(paths[0], "a-b/e.yaml");
    CHECK_STR(paths[1], "a.yaml");
    CHECK_STR(paths[2], "b.yaml");
    CHECK_STR(paths[3], "sub/c.yaml");
    REQUIRE_OK(dir_list(path_join(arena, dir, "none"), "", arena, &paths, &count, &err), &err);
    CHECK_INT(count, 0);
    CHECK(dir_list(path_join(arena, dir, "a.txt"), "", arena, &paths, &count, &err) != OK);
    /* A link to the folder itself is a loop: an error, not an endless walk. */
    REQUIRE(symlink(dir, path_join(arena, dir, "loop")) == 0);
    CHECK(dir_list(dir, ".yaml", arena, &paths, &count, &err) != OK);
    unlink(path_join(arena, dir, "loop"));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(path_join(arena, dir, names[i]));
    rmdir(path_join(arena, dir, "sub"));
    rmdir(path_join(arena, dir, "_sub"));
    rmdir(path_join(arena, dir, "a-b"));
    CHECK_INT(rmdir(dir), 0);
}

TEST(paths_are_joined_and_split)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    CHECK_STR(path_join(a, "a/b", "c"), "a/b/c");
    CHECK_STR(path_join(a, "a/", "c"), "a/c");
    CHECK_STR(path_join(a, "", "c"), "c");
    CHECK_STR(path_join(a, "a", "/c"), "/c");
    CHECK_STR(path_dir(a, "a/b/c"), "a/b");
    CHECK_STR(path_dir(a, "/c"), "/");
    CHECK_STR(path_dir(a, "c"), ".");
    CHECK_STR(path_base("a/b/c"), "c");
    CHECK_STR(path_base("c"), "c");
    CHECK_STR(path_absolute(a, "/a//./b/../c/"), "/a/b/../c");
    CHECK_STR(path_absolute(a, "/"), "/");
    char *cwd = getcwd(NULL, 0);
    CHECK_STR(path_absolute(a, "./x"), path_join(a, cwd, "x"));
    mem_free(cwd);
}

TEST(a_relative_path_cannot_leave_its_folder)
{
    static const char *const inside[] = {"a", "a/b", "a..b", "..a", "./a", "a/."};
    static const char *const outside[] = {"", "/a", "..", "../a", "a/../b", "a/..", "a//../../b"};
    for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
        CHECK(path_is_inside(inside[i]));
    for (size_t i = 0; i < ARRAY_SIZE(outside); i++)
        CHECK(!path_is_inside(outside[i]));
}

TEST(content_has_its_sha_256)
{
    char text[HASH_TEXT_SIZE];
    hash_sha256("abc", 3, text); /* the example of FIPS 180-2 */
    CHECK_STR(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_sha256("", 0, text);
    CHECK_STR(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(an_embedded_file_is_found_by_its_name)
{
    static const struct embedded_file files[] = {{"a.css", "x", 1}, {"b/c.js", "yz", 2}};
    const struct embedded_file *file = embedded_find(files, ARRAY_SIZE(files), "b/c.js");
    REQUIRE(file);
    CHECK_INT(file->size, 2);
    CHECK(embedded_find(files, ARRAY_SIZE(files), "c.js") == NULL);
}
