#include <assert.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "base/memory.h"

/* What is not in use is zero, so that allocating need not clear. */
struct chunk {
    struct chunk *before;
    size_t size, used; /* `used` once there is a newer one */
    _Alignas(max_align_t) unsigned char bytes[];
};

static void *checked(void *p, size_t size)
{
    if (p)
        return p;
    fprintf(stderr, "dag: out of memory (%zu bytes were asked for)\n", size);
    abort();
}

void *mem_alloc(size_t size)
{
    return checked(malloc(size ? size : 1), size);
}

void *mem_alloc_zero(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1), count * size);
}

void *mem_realloc(void *p, size_t size)
{
    return checked(realloc(p, size ? size : 1), size);
}

char *mem_strdup(const char *s)
{
    return s ? checked(strdup(s), strlen(s)) : NULL;
}

void mem_free(void *p)
{
    free(p);
}

void mem_trim(void)
{
    malloc_trim(0);
}

struct arena *arena_new(void)
{
    return mem_alloc_zero(1, sizeof(struct arena));
}

struct arena *arena_new_tight(void)
{
    struct arena *arena = arena_new();
    arena->tight = true;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct chunk *chunk = arena->newest, *before; chunk; chunk = before) {
        before = chunk->before;
        mem_free(chunk);
    }
    mem_free(arena);
}

static void chunk_leave(struct arena *arena)
{
    if (arena->newest)
        arena->newest->used = (size_t)(arena->at - arena->newest->bytes);
}

static void chunk_enter(struct arena *arena, struct chunk *chunk)
{
    arena->newest = chunk;
    arena->at = chunk ? chunk->bytes : NULL;
    arena->end = chunk ? chunk->bytes + chunk->size : NULL;
}

/* Keeps the largest chunk that may be kept: work that repeats itself soon needs no other. */
void arena_clear(struct arena *arena)
{
    struct chunk *kept = NULL;
    chunk_leave(arena);
    for (struct chunk *chunk = arena->newest, *before; chunk; chunk = before) {
        before = chunk->before;
        bool is_larger = chunk->size <= ARENA_CHUNK_KEPT_MAX && (!kept || chunk->size > kept->size);
        mem_free(is_larger ? kept : chunk);
        kept = is_larger ? chunk : kept;
    }
    if (kept) {
        memset(kept->bytes, 0, kept->used);
        kept->before = NULL;
    }
    chunk_enter(arena, kept);
    arena->used = 0;
}

/* The sizes double; in a tight arena they are an eighth of what it holds. */
static size_t next_chunk_size(const struct arena *arena)
{
    size_t least = arena->tight ? ARENA_CHUNK_TIGHT_MIN : ARENA_CHUNK_SIZE_MIN;
    size_t size = arena->tight ? arena->used / 8 : arena->newest ? arena->newest->size * 2 : 0;
    size = size < least ? least : size;
    return size < ARENA_CHUNK_SIZE_MAX ? size : ARENA_CHUNK_SIZE_MAX;
}

void *arena_alloc_slowly_(struct arena *arena, size_t size)
{
    assert(size <= SIZE_MAX / 2);
    size_t chunk_size = next_chunk_size(arena);
    if (chunk_size < arena_rounded(size))
        chunk_size = arena_rounded(size);
    struct chunk *chunk = mem_alloc_zero(1, sizeof(struct chunk) + chunk_size);
    chunk->size = chunk_size;
    if (arena->newest && chunk_size == arena_rounded(size)) { /* all of it: the rest goes on */
        chunk->before = arena->newest->before;
        arena->newest->before = chunk;
        chunk->used = chunk_size;
        arena->used += size;
        return chunk->bytes;
    }
    chunk->before = arena->newest;
    chunk_leave(arena);
    chunk_enter(arena, chunk);
    return arena_alloc(arena, size);
}

void *arena_resize(struct arena *arena, void *p, size_t size, size_t new_size)
{
    size_t before = arena_rounded(size), after = arena_rounded(new_size);
    bool is_last = p && (unsigned char *)p + before == arena->at;
    if (is_last && new_size <= SIZE_MAX / 2 && after <= (size_t)(arena->end - (unsigned char *)p)) {
        if (after < before)
            memset((unsigned char *)p + after, 0, before - after);
        arena->at = (unsigned char *)p + after;
        arena->used += new_size - size;
        return p;
    }
    if (new_size <= size)
        return p;
    void *grown = arena_alloc(arena, new_size);
    if (size)
        memcpy(grown, p, size);
    return grown;
}

void *arena_memdup(struct arena *arena, const void *p, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size)
        memcpy(copy, p, size);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
    return s ? arena_memdup(arena, s, strlen(s) + 1) : NULL;
}

char *arena_strndup(struct arena *arena, const char *s, size_t size)
{
    char *copy = arena_alloc(arena, size + 1);
    if (size)
        memcpy(copy, s, size);
    return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert(size >= 0);
    char *text = arena_alloc(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, args);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}
