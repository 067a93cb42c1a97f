#include <assert.h>
#include "base/vec.h"

enum { VEC_CAPACITY_MIN = 8 };

void *vec_grow_(void *at, size_t *capacity, size_t needed, size_t item_size)
{
    size_t grown = *capacity * 2 > VEC_CAPACITY_MIN ? *capacity * 2 : VEC_CAPACITY_MIN;
    if (grown < needed)
        grown = needed;
    assert(grown <= SIZE_MAX / item_size);
    *capacity = grown;
    return mem_realloc(at, grown * item_size);
}
