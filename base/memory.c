#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "base/memory.h"

struct chunk {
    struct chunk *next;
    size_t size, used;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct chunk *first, *last;
    size_t used;
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

struct arena *arena_new(void)
{
    return mem_alloc_zero(1, sizeof(struct arena));
}

static void chunks_free(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *next = chunk->next;
        mem_free(chunk);
        chunk = next;
    }
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    chunks_free(arena->first);
    mem_free(arena);
}

void arena_clear(struct arena *arena)
{
    arena->used = 0;
    if (!arena->first)
        return;
    chunks_free(arena->first->next);
    arena->first->next = NULL;
    arena->first->used = 0;
    arena->last = arena->first;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

static struct chunk *chunk_add(struct arena *arena, size_t size_min)
{
    size_t size = arena->last ? arena->last->size * 2 : ARENA_CHUNK_SIZE_MIN;
    if (size > ARENA_CHUNK_SIZE_MAX)
        size = ARENA_CHUNK_SIZE_MAX;
    if (size < size_min)
        size = size_min;
    struct chunk *chunk = mem_alloc(sizeof(struct chunk) + size);
    *chunk = (struct chunk){.size = size};
    if (arena->last)
        arena->last->next = chunk;
    else
        arena->first = chunk;
    arena->last = chunk;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t alignment = _Alignof(max_align_t);
    assert(size <= SIZE_MAX / 2);
    size_t rounded = (size ? size + alignment - 1 : alignment) / alignment * alignment;
    struct chunk *chunk = arena->last;
    if (!chunk || chunk->size - chunk->used < rounded)
        chunk = chunk_add(arena, rounded);
    void *p = chunk->bytes + chunk->used;
    chunk->used += rounded;
    arena->used += size;
    return memset(p, 0, rounded);
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
