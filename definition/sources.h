/*
 * The files that a load reads, each once, with its hash; and those it looked for in vain.
 *
 * Everything that decides what a definition is comes through here, so that a version's manifest is
 * complete, and so that one can ask later whether all of it still reads the same.
 */
#ifndef DEFINITION_SOURCES_H
#define DEFINITION_SOURCES_H

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

struct source {
    const char *path;  /* absolute */
    const char *shown; /* relative to the root when it is inside it */
    bool missing;      /* was looked for and is not there */
    bool unreadable;   /* is there, and cannot be read or is too large */
    struct slice text;
    char hash[HASH_TEXT_SIZE]; /* "" when missing */
    int64_t changed_ns;        /* the file's modification time when it was read */
    int64_t size;
    uint64_t inode;
    unsigned asked; /* the round of sources_begin in which it was asked for last */
};

struct sources;
/* `root`: what paths are relative to. */
struct sources *sources_new(const char *root);
void sources_free(struct sources *sources); /* NULL is fine */
DEFINE_CLEANUP(struct sources, sources_free);

/* The file at a path relative to the root (or absolute), read once.  A missing file is OK with
   `missing` set; ERR_IO, ERR_LIMIT otherwise.  It lives as long as `sources`. */
enum status sources_read(struct sources *sources, const char *path, const struct source **ret,
    struct error *err) MUST_CHECK;
/* A text that stands for the file at a path, whatever is there. */
void sources_put(struct sources *sources, const char *path, struct slice text);
/* From now on there are no files but those: what was not read or put so far is missing. */
void sources_seal(struct sources *sources);
/* The one of that name (struct source's `shown`), NULL when it was not asked for. */
const struct source *sources_find(const struct sources *sources, const char *shown);
/* All that was asked for, in that order. */
size_t sources_count(const struct sources *sources);
const struct source *sources_at(const struct sources *sources, size_t i);
/* Begins a round; what is asked for since the last one began, each once and in that order. */
void sources_begin(struct sources *sources);
size_t sources_asked_count(const struct sources *sources);
const struct source *sources_asked_at(const struct sources *sources, size_t i);
/* Whether a file looks as it did: modification time, size and inode. */
bool source_looks_same(const struct source *source);
/* Whether it reads as it did. */
bool source_reads_same(const struct source *source);

#endif
