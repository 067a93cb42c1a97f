#include "base/limits.h"
#include "base/string.h"

struct text_position text_locate(const char *text, size_t size, size_t offset)
{
    if (offset > size)
        offset = size;
    struct text_position position = {.line = 1};
    size_t start = 0;
    const char *newline;
    while (start < offset && (newline = memchr(text + start, '\n', offset - start))) {
        position.line++;
        start = (size_t)(newline - text) + 1;
    }
    size_t end = start;
    while (end < size && text[end] != '\n')
        end++;
    if (end > start && text[end - 1] == '\r')
        end--;
    position.text = slice_make(text + start, end - start);
    position.column = (uint32_t)utf8_length(text + start, offset - start) + 1;
    return position;
}

/* Decodes up to SUGGEST_WORD_MAX code points, ASCII letters lowered; false when there are more. */
static bool decode_word(const char *word, uint32_t *ret, size_t *ret_count)
{
    size_t size = strlen(word), count = 0;
    for (size_t at = 0; at < size; count++) {
        if (count == SUGGEST_WORD_MAX)
            return false;
        uint32_t c = (unsigned char)word[at];
        size_t length = utf8_decode(word + at, size - at, &c);
        ret[count] = c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
        at += length ? length : 1;
    }
    *ret_count = count;
    return true;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance with swaps of neighbours (optimal string alignment). */
static size_t edit_distance(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    size_t rows[3][SUGGEST_WORD_MAX + 1];
    size_t *before = rows[0], *previous = rows[1], *current = rows[2];
    for (size_t j = 0; j <= b_count; j++)
        previous[j] = before[j] = j;
    for (size_t i = 1; i <= a_count; i++) {
        current[0] = i;
        for (size_t j = 1; j <= b_count; j++) {
            size_t change = previous[j - 1] + (a[i - 1] != b[j - 1]);
            current[j] = least(change, least(previous[j], current[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                current[j] = least(current[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[b_count];
}

const char *suggest(const char *word, const char *const *candidates, size_t count)
{
    uint32_t wanted[SUGGEST_WORD_MAX], candidate[SUGGEST_WORD_MAX];
    size_t wanted_count, candidate_count;
    if (!decode_word(word, wanted, &wanted_count))
        return NULL;
    /* A third of the letters may be wrong, and one in a short word. */
    size_t best_distance = wanted_count / 3 > 1 ? wanted_count / 3 : 1;
    const char *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!decode_word(candidates[i], candidate, &candidate_count))
            continue;
        size_t distance = edit_distance(wanted, wanted_count, candidate, candidate_count);
        if (distance >= least(wanted_count, candidate_count) && distance > 0)
            continue;
        if (distance < best_distance || (distance == best_distance && !best)) {
            best = candidates[i];
            best_distance = distance;
        }
    }
    return best;
}

static uint32_t next_code_point(const char **p)
{
    uint32_t c = (unsigned char)**p;
    size_t length = utf8_decode(*p, strlen(*p), &c);
    *p += length ? length : 1;
    return c;
}

/* Matches one code point against the set after '['.  *p is moved behind the ']'; a set without end
   is taken as a literal '[' by the caller: NULL is then stored. */
static bool set_matches(const char **p, uint32_t c)
{
    const char *at = *p;
    bool negated = *at == '!' || *at == '^', found = false;
    at += negated;
    for (bool first = true; first || *at != ']'; first = false) {
        if (*at == '\0') {
            *p = NULL;
            return false;
        }
        uint32_t low = next_code_point(&at), high = low;
        if (at[0] == '-' && at[1] != ']' && at[1] != '\0') {
            at++;
            high = next_code_point(&at);
        }
        found |= c >= low && c <= high;
    }
    *p = at + 1;
    return found != negated;
}

/* Whether the pattern's first element takes the first code point of s; moves both behind it. */
static bool element_matches(const char **pattern, const char **s)
{
    if (**s == '\0' || **pattern == '\0')
        return false;
    uint32_t want = next_code_point(pattern), c = next_code_point(s);
    if (want == '?')
        return true;
    if (want == '[') {
        const char *set = *pattern;
        bool matches = set_matches(&set, c);
        if (set) {
            *pattern = set;
            return matches;
        }
    }
    return want == c;
}

bool glob_match(const char *pattern, const char *s)
{
    const char *star = NULL, *resume = NULL;
    for (;;) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = s;
            continue;
        }
        if (*pattern == '\0' && *s == '\0')
            return true;
        if (element_matches(&pattern, &s))
            continue;
        /* Back to the last '*', which takes one code point more. */
        if (!star || *resume == '\0')
            return false;
        next_code_point(&resume);
        pattern = star;
        s = resume;
    }
}
