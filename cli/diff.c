/* The unified diff of two texts, by lines. */
#include "base/vec.h"
#include "cli/render.h"

enum {
    CONTEXT_LINES = 3,
    /* Pairs of lines compared at most, 4 bytes each; what is larger is shown as replaced whole. */
    DIFF_CELLS_MAX = 4 << 20,
};

typedef VEC(struct slice) lines_t; /* with their line ends */

struct edit {
    char sign; /* ' ', '-' or '+' */
    struct slice line;
};
typedef VEC(struct edit) edits_t;

static void split_lines(struct slice text, lines_t *lines)
{
    while (text.size) {
        const char *end = memchr(text.p, '\n', text.size);
        size_t size = end ? (size_t)(end - text.p) + 1 : text.size;
        vec_push(lines, slice_make(text.p, size));
        text = slice_make(text.p + size, text.size - size);
    }
}

static void add(edits_t *edits, char sign, struct slice line)
{
    struct edit edit = {sign, line};
    vec_push(edits, edit);
}

static void add_all(edits_t *edits, char sign, const struct slice *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(edits, sign, lines[i]);
}

/* table[i][j]: how many lines a[i…] and b[j…] have in common, in order. */
static uint32_t *common_table(
    const struct slice *a, size_t a_count, const struct slice *b, size_t b_count)
{
    size_t width = b_count + 1;
    uint32_t *table = mem_alloc_zero((a_count + 1) * width, sizeof(*table));
    for (size_t i = a_count; i-- > 0;)
        for (size_t j = b_count; j-- > 0;) {
            uint32_t down = table[(i + 1) * width + j], right = table[i * width + j + 1];
            table[i * width + j] = slice_equal(a[i], b[j]) ? table[(i + 1) * width + j + 1] + 1
                                   : down > right          ? down
                                                           : right;
        }
    return table;
}

static void add_changes(
    edits_t *edits, const struct slice *a, size_t a_count, const struct slice *b, size_t b_count)
{
    if ((a_count + 1) * (b_count + 1) > DIFF_CELLS_MAX) {
        add_all(edits, '-', a, a_count);
        add_all(edits, '+', b, b_count);
        return;
    }
    uint32_t *table = common_table(a, a_count, b, b_count);
    size_t i = 0, j = 0, width = b_count + 1;
    while (i < a_count && j < b_count) {
        if (slice_equal(a[i], b[j])) {
            add(edits, ' ', a[i++]);
            j++;
        } else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) {
            add(edits, '-', a[i++]);
        } else {
            add(edits, '+', b[j++]);
        }
    }
    add_all(edits, '-', a + i, a_count - i);
    add_all(edits, '+', b + j, b_count - j);
    mem_free(table);
}

/* What both begin and end with is not compared again. */
static void find_edits(const lines_t *a, const lines_t *b, edits_t *edits)
{
    size_t head = 0, tail = 0, shorter = a->count < b->count ? a->count : b->count;
    while (head < shorter && slice_equal(a->at[head], b->at[head]))
        head++;
    while (tail < shorter - head &&
           slice_equal(a->at[a->count - tail - 1], b->at[b->count - tail - 1]))
        tail++;
    add_all(edits, ' ', a->at, head);
    add_changes(edits, a->at + head, a->count - head - tail, b->at + head, b->count - head - tail);
    add_all(edits, ' ', a->at + a->count - tail, tail);
}

/* Where the hunk that holds the change at `at` ends: behind the context of its last change. */
static size_t hunk_end(const edits_t *edits, size_t at)
{
    size_t end = at;
    for (size_t i = at; i < edits->count && i <= end + 2 * CONTEXT_LINES; i++)
        if (edits->at[i].sign != ' ')
            end = i;
    end += CONTEXT_LINES + 1;
    return end < edits->count ? end : edits->count;
}

static void print_range(FILE *out, char sign, size_t before, size_t count)
{
    fprintf(out, "%c%zu", sign, count ? before + 1 : before);
    if (count != 1)
        fprintf(out, ",%zu", count);
}

static void print_hunk(FILE *out, const struct edit *edits, size_t count, const size_t *before)
{
    size_t old_count = 0, new_count = 0;
    for (size_t i = 0; i < count; i++) {
        old_count += edits[i].sign != '+';
        new_count += edits[i].sign != '-';
    }
    fputs("@@ ", out);
    print_range(out, '-', before[0], old_count);
    fputc(' ', out);
    print_range(out, '+', before[1], new_count);
    fputs(" @@\n", out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%c%.*s", edits[i].sign, SLICE_ARG(edits[i].line));
        if (edits[i].line.p[edits[i].line.size - 1] != '\n')
            fputs("\n\\ No newline at end of file\n", out);
    }
}

static void print_hunks(FILE *out, const edits_t *edits)
{
    size_t before[2] = {0, 0}, counted = 0;
    for (size_t i = 0; i < edits->count;) {
        if (edits->at[i].sign == ' ') {
            i++;
            continue;
        }
        size_t start = i > counted + CONTEXT_LINES ? i - CONTEXT_LINES : counted;
        size_t end = hunk_end(edits, i);
        for (; counted < start; counted++) {
            before[0]++;
            before[1]++;
        }
        print_hunk(out, edits->at + start, end - start, before);
        for (; counted < end; counted++) {
            before[0] += edits->at[counted].sign != '+';
            before[1] += edits->at[counted].sign != '-';
        }
        i = end;
    }
}

bool diff_print(const char *old_name, struct slice old_text, const char *new_name,
    struct slice new_text, FILE *out)
{
    lines_t a = {0}, b = {0};
    edits_t edits = {0};
    if (slice_equal(old_text, new_text))
        return false;
    split_lines(old_text, &a);
    split_lines(new_text, &b);
    find_edits(&a, &b, &edits);
    fprintf(out, "--- %s\n+++ %s\n", old_name, new_name);
    print_hunks(out, &edits);
    vec_done(&a);
    vec_done(&b);
    vec_done(&edits);
    return true;
}
