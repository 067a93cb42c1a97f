/*
 * Memory: arenas, and the few heap functions everything else is made of.
 *
 * An arena is a bump allocator: what is allocated from it lives until the arena is cleared or
 * freed. There is one per batch, request, command, run and loaded DAG; a function that returns data
 * takes the arena it is to live in.  An arena is used by one thread at a time.
 *
 * Exhaustion of memory ends the process with a message.  A half-carried-out decision would be
 * worse: a daemon that ends is recovered by the path of every normal start, and what was
 * acknowledged is durable.  Growth is bounded by the ceilings in each module's limits.h, which are
 * ordinary errors.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Heap memory that is never NULL; sizes of zero are allowed.  Freed with mem_free. */
void *mem_alloc(size_t size);
void *mem_alloc_zero(size_t count, size_t size);
void *mem_realloc(void *p, size_t size);
char *mem_strdup(const char *s);
void mem_free(void *p);
/* Gives the system back what has been freed: after work that needed much and will not soon again.
 */
void mem_trim(void);

/* Private to arena_alloc and base/memory.c. */
struct arena {
    unsigned char *at, *end; /* the newest chunk's room */
    struct chunk *newest;
    size_t used; /* bytes handed out */
    bool tight;
};

/* A new, empty arena, owned by the caller. */
struct arena *arena_new(void);
/* One for what is filled once and kept long, of which there are many: it leaves little room unused
   and asks the heap more often. */
struct arena *arena_new_tight(void);
/* Frees the arena and all that was allocated from it.  NULL is fine. */
void arena_free(struct arena *arena);
/* Forgets everything allocated from the arena, keeping some memory for reuse. */
void arena_clear(struct arena *arena);
/* Bytes handed out since the arena was made or cleared. */
static inline size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

/* What `size` bytes take up in an arena. */
static inline size_t arena_rounded(size_t size)
{
    const size_t alignment = _Alignof(max_align_t);
    return (size + !size + alignment - 1) & ~(alignment - 1);
}

/* `size` bytes, zeroed, aligned for any type. */
void *arena_alloc_slowly_(struct arena *arena, size_t size);
static inline void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2 || arena_rounded(size) > (size_t)(arena->end - arena->at))
        return arena_alloc_slowly_(arena, size);
    void *p = arena->at;
    arena->at += arena_rounded(size);
    arena->used += size;
    return p;
}
/* Makes the `size` bytes at `p` (NULL: none) `new_size` bytes long: in place when they are what was
   allocated last, else as a copy.  What is added is not zeroed in general. */
void *arena_resize(struct arena *arena, void *p, size_t size, size_t new_size);
/* A copy of `size` bytes at `p`. */
void *arena_memdup(struct arena *arena, const void *p, size_t size);
/* A NUL-terminated copy of `s`; NULL stays NULL. */
char *arena_strdup(struct arena *arena, const char *s);
/* A NUL-terminated copy of `size` bytes at `s`. */
char *arena_strndup(struct arena *arena, const char *s, size_t size);
/* printf into the arena. */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

#define arena_new_of(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count)                                                            \
    ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

/* Cleanup by attribute: `CLEANUP(arena_freep) struct arena *a = arena_new();` */
#define CLEANUP(function) __attribute__((cleanup(function)))
#define DEFINE_CLEANUP(type, function)                                                             \
    static inline void function##p(type **p)                                                       \
    {                                                                                              \
        if (*p)                                                                                    \
            function(*p);                                                                          \
    }                                                                                              \
    struct function##_cleanup_is_defined

DEFINE_CLEANUP(struct arena, arena_free);
DEFINE_CLEANUP(void, mem_free);

/* Moves a pointer out of a variable that has a CLEANUP, leaving NULL. */
#define take(p)                                                                                    \
    ({                                                                                             \
        __typeof__(p) taken_ = (p);                                                                \
        (p) = NULL;                                                                                \
        taken_;                                                                                    \
    })

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

#endif
