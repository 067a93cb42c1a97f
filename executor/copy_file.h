/*
 * The client's files of COPY: read and written in chunks by threads (offload.h), one step at a
 * time.
 *
 * What is received goes to a *part* beside the file, `.<name>.<attempt>.part`, which takes the
 * file's place by rename when the transaction is known to have committed.  The ledger's result
 * carries where (struct copy_place), so that whoever learns of the commit can do it, however often.
 */
#ifndef EXECUTOR_COPY_FILE_H
#define EXECUTOR_COPY_FILE_H

#include <jansson.h>
#include "base/json.h"
#include "base/memory.h"
#include "executor/offload.h"

/* A part that is to take its file's place. */
struct copy_place {
    const char *path, *part; /* absolute */
    int64_t bytes;
    uint64_t inode; /* of the part: rename keeps it */
};
struct copy_places {
    const struct copy_place *at;
    size_t count;
};

/* The part of a file for an attempt. */
char *copy_part(struct arena *arena, const char *path, const char *attempt);
/* As a member `files` of an attempt's detail; nothing when there are none. */
void copy_places_json(const struct copy_places *places, struct json_writer *w);
/* Out of a detail, which may be NULL. */
struct copy_places copy_places_read(const char *detail, struct arena *arena);
/* Renames all, durably; those that are in their place already are passed over.  Blocks.  Goes on
   after trouble; *err is the first. */
enum status copy_places_put(const struct copy_places *places, struct error *err) MUST_CHECK;

enum copy_step {
    COPY_CHECK,    /* whether there is a file to read, or a folder to write into */
    COPY_OPEN,     /* for reading; or a new part, for writing */
    COPY_TRANSFER, /* reads up to COPY_CHUNK bytes, 0 at the end; or writes what is there */
    COPY_CLOSE,    /* after writing: what was written is on the disk */
    COPY_REMOVE,   /* the part */
};

/* One file.  On the loop's thread; while `busy` a thread has everything but `user` and `done`. */
struct copy_file {
    struct offload_job job;
    struct arena *arena;
    const char *key, *shown; /* "copy_from", and the path as the task names it: for messages */
    const char *path, *part; /* part: NULL when it is read */
    const char *const *old;  /* parts of attempts that can no longer commit: removed when opened */
    size_t old_count;
    void *user;
    void (*done)(struct copy_file *file);

    enum copy_step step;
    bool busy, freed, dropped;
    struct offload *offload; /* of the last step */
    int fd;
    char *buffer; /* of `size` bytes; room for `capacity` */
    size_t size, capacity;
    int64_t bytes; /* read or written so far */
    uint64_t inode;
    enum status status; /* of the last step; ERR_NOT_FOUND: there is no such file or folder */
    struct error err;
};

/* `part` NULL: to be read. */
struct copy_file *copy_file_new(
    const char *key, const char *shown, const char *path, const char *part);
/* `done` is told from the loop.  Nothing else may be under way. */
void copy_file_do(struct offload *offload, struct copy_file *file, enum copy_step step);
/* Adds received bytes for the next COPY_TRANSFER. */
void copy_file_add(struct copy_file *file, const char *data, size_t size);
/* Closes it; a step under way ends first, and is not told.  NULL is fine. */
void copy_file_free(struct copy_file *file);
/* The same, and the part is removed, if one was begun: nothing of it can commit. */
void copy_file_drop(struct copy_file *file);

#endif
