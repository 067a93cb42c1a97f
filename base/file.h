/*
 * Files: whole reads with a ceiling, atomic writes, paths, content hashes.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include "base/error.h"
#include "base/memory.h"
#include "base/string.h"

/* The whole of a regular file, NUL-terminated (the NUL not counted), in the arena.  Larger than
   `size_max` bytes is ERR_LIMIT; a missing file ERR_NOT_FOUND; other trouble ERR_IO. */
enum status file_read(const char *path, size_t size_max, struct arena *arena,
    struct slice *ret_text, struct error *err) MUST_CHECK;
/* Writes by a temporary file beside it and rename; the file gets exactly `mode`, whatever the
   umask. With `durable`, file and directory are synchronised before it returns. */
enum status file_write(
    const char *path, struct slice text, unsigned mode, bool durable, struct error *err) MUST_CHECK;
bool file_exists(const char *path);
bool dir_exists(const char *path);
/* mkdir -p, mode 0700 for what is made when `private`, else 0777 less the umask. */
enum status dir_make(const char *path, bool private, struct error *err) MUST_CHECK;
/* Regular files below `dir` whose names end in `suffix`, as paths relative to it, sorted bytewise;
   names that start with '.' or '_' are left out.  A missing directory is an empty list. */
enum status dir_list(const char *dir, const char *suffix, struct arena *arena,
    const char ***ret_paths, size_t *ret_count, struct error *err) MUST_CHECK;

/* "a/b" + "c" = "a/b/c"; an absolute `name` stands for itself. */
char *path_join(struct arena *arena, const char *dir, const char *name);
char *path_dir(struct arena *arena, const char *path);
const char *path_base(const char *path);
char *path_absolute(struct arena *arena, const char *path);
/* False when the relative path could leave its directory ("..", absolute, empty). */
bool path_is_inside(const char *relative);

enum { HASH_TEXT_SIZE = 65 };
/* SHA-256 as 64 hexadecimal digits. */
void hash_sha256(const void *p, size_t size, char ret[HASH_TEXT_SIZE]);
/* A stable 64-bit hash (FNV-1a with a final mix) for jitter and tables; not for content. */
uint64_t hash_u64(const void *p, size_t size);

#endif
