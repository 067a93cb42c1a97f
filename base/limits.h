/*
 * The ceilings of base/.  Above a ceiling is an error (ERR_LIMIT or ERR_INVALID with a message that
 * names it), never a silent cut; the sizes of `struct error` in error.h are the one exception, and
 * its texts end with "…" when they were cut.
 */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
    /* Bytes.  The first chunk of an arena; most requests and commands fit into it. */
    ARENA_CHUNK_SIZE_MIN = 4096,
    /* Bytes.  The same of a tight arena; a small task with its texts fits into it. */
    ARENA_CHUNK_TIGHT_MIN = 512,
    /* Bytes.  Chunks double up to this, so that a large arena wastes at most this much. */
    ARENA_CHUNK_SIZE_MAX = 1024 * 1024,
    /* Bytes.  The largest chunk that an arena keeps when it is cleared. */
    ARENA_CHUNK_KEPT_MAX = 64 * 1024,
    /* Folders below each other that dir_list enters; also ends loops of symbolic links. */
    DIR_DEPTH_MAX = 32,
    /* Files that one dir_list gives; a folder of DAGs or templates is far from it. */
    DIR_FILES_MAX = 100000,
    /* Days.  The longest duration, about a hundred years: sums of a few stay within int64_t. */
    DURATION_DAYS_MAX = 36525,
    /* Bytes.  A number written out; the longest exact decimal of a double has under 800. */
    NUMBER_TEXT_MAX = 1024,
    /* Code points.  Longer words are not compared for a suggestion: the work grows with the square.
     */
    SUGGEST_WORD_MAX = 64,
    /* Bytes.  One log line; what is longer is cut and ends with "…". */
    LOG_LINE_MAX = 16 * 1024,
};

#endif
