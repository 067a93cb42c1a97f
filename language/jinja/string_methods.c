/*
 * The methods of strings, as Python's.
 */
#include "language/jinja/runtime.h"
#include "language/jinja/unicode.h"

typedef const struct jinja_call *call_t;

static enum status no_arguments(call_t call, struct error *err)
{
    return jinja_arguments(call, NULL, 0, 0, NULL, err);
}

/* A result made of the string itself: Markup stays Markup. */
static struct jinja_value like_self(call_t call, struct jinja_value v)
{
    return jinja_mark(v, call->self.marks);
}

#define CASE_METHOD(function, mapper)                                                              \
    static enum status function(call_t call, struct jinja_value *ret, struct error *err)           \
    {                                                                                              \
        struct strbuf out = {.arena = call->arena};                                                \
        mapper(jinja_text(call->self), &out);                                                      \
        *ret = like_self(call, jinja_take_text(call->arena, &out));                                \
        return no_arguments(call, err);                                                            \
    }                                                                                              \
    struct function##_is_defined

CASE_METHOD(text_capitalize, jinja_text_capitalize);
CASE_METHOD(text_casefold, jinja_text_fold);
CASE_METHOD(text_lower, jinja_text_lower);
CASE_METHOD(text_upper, jinja_text_upper);
CASE_METHOD(text_title, jinja_text_title);
CASE_METHOD(text_swapcase, jinja_text_swapcase);

static bool is_word(uint32_t c)
{
    return jinja_char_is_alpha(c) || jinja_char_is_decimal(c) || jinja_char_is_digit(c) ||
           jinja_char_is_numeric(c);
}

static bool is_ascii(uint32_t c)
{
    return c < 0x80;
}

/* Whether all characters are of a kind; `empty` is the answer for "". */
static enum status test_all(
    call_t call, bool (*test)(uint32_t c), bool empty, struct jinja_value *ret, struct error *err)
{
    bool all = call->self.size > 0 || empty;
    for (size_t at = 0; all && at < call->self.size;)
        all = test(jinja_char_next(jinja_text(call->self), &at));
    *ret = jinja_bool(all);
    return no_arguments(call, err);
}

#define TEST_METHOD(function, test, empty)                                                         \
    static enum status function(call_t call, struct jinja_value *ret, struct error *err)           \
    {                                                                                              \
        return test_all(call, test, empty, ret, err);                                              \
    }                                                                                              \
    struct function##_is_defined

TEST_METHOD(text_isalnum, is_word, false);
TEST_METHOD(text_isalpha, jinja_char_is_alpha, false);
TEST_METHOD(text_isascii, is_ascii, true);
TEST_METHOD(text_isdecimal, jinja_char_is_decimal, false);
TEST_METHOD(text_isdigit, jinja_char_is_digit, false);
TEST_METHOD(text_isnumeric, jinja_char_is_numeric, false);
TEST_METHOD(text_isprintable, jinja_char_is_printable, true);
TEST_METHOD(text_isspace, jinja_char_is_space, false);

static enum status text_is_case(call_t call, bool upper, struct jinja_value *ret, struct error *err)
{
    bool right = false, wrong = false;
    for (size_t at = 0; at < call->self.size;) {
        uint32_t c = jinja_char_next(jinja_text(call->self), &at);
        bool is = upper ? jinja_char_is_upper(c) : jinja_char_is_lower(c);
        right |= is;
        wrong |= !is && jinja_char_is_cased(c);
    }
    *ret = jinja_bool(right && !wrong);
    return no_arguments(call, err);
}

static enum status text_islower(call_t call, struct jinja_value *ret, struct error *err)
{
    return text_is_case(call, false, ret, err);
}

static enum status text_isupper(call_t call, struct jinja_value *ret, struct error *err)
{
    return text_is_case(call, true, ret, err);
}

static enum status text_istitle(call_t call, struct jinja_value *ret, struct error *err)
{
    bool cased = false, any = false, ok = true;
    for (size_t at = 0; at < call->self.size;) {
        uint32_t c = jinja_char_next(jinja_text(call->self), &at);
        bool head = jinja_char_is_upper(c) || jinja_char_is_title(c);
        if (head || jinja_char_is_lower(c)) {
            ok &= head != cased;
            cased = any = true;
        } else {
            cased = false;
        }
    }
    *ret = jinja_bool(any && ok);
    return no_arguments(call, err);
}

static enum status text_isidentifier(call_t call, struct jinja_value *ret, struct error *err)
{
    bool ok = call->self.size > 0;
    for (size_t at = 0; ok && at < call->self.size;) {
        bool first = at == 0;
        uint32_t c = jinja_char_next(jinja_text(call->self), &at);
        ok = c == '_' || jinja_char_is_alpha(c) || (!first && jinja_char_is_decimal(c));
    }
    *ret = jinja_bool(ok);
    return no_arguments(call, err);
}

struct jinja_value jinja_pad_text(
    struct arena *arena, struct jinja_value text, int64_t left, int64_t right, struct slice fill)
{
    struct jinja_builder b = {.text.arena = arena};
    for (int64_t i = 0; i < left; i++)
        jinja_builder_add(&b, fill.p, fill.size);
    jinja_builder_add_part(&b, text, 0, text.size);
    for (int64_t i = 0; i < right; i++)
        jinja_builder_add(&b, fill.p, fill.size);
    return jinja_mark(jinja_builder_end(&b, arena), text.marks);
}

int64_t jinja_center_left(int64_t pad, int64_t width)
{
    return pad / 2 + (pad & width & 1);
}

/* A text that goes into the method's own: escaped if that is safe HTML. */
static struct jinja_value escaped_for(call_t call, struct jinja_value text)
{
    if (!(call->self.marks & JINJA_SAFE) || (text.marks & JINJA_SAFE))
        return text;
    struct strbuf out = {0};
    jinja_escape_html(jinja_text(text), &out);
    return jinja_mark(jinja_take_text(call->arena, &out), text.marks);
}

/* ljust, rjust and center, told apart by the method's name. */
static enum status text_justify(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"width", "fillchar"};
    struct jinja_value values[2];
    int64_t width;
    struct slice fill;
    enum status status = jinja_arguments(call, names, 2, 1, values, err);
    if (!status)
        status = jinja_argument_int(call, "width", values[0], 0, &width, err);
    if (!status)
        status = jinja_argument_text(call, "fillchar", values[1], " ", &fill, err);
    if (!status)
        fill = jinja_text(escaped_for(call, jinja_mark(jinja_slice(fill), values[1].marks)));
    if (!status && jinja_text_length(fill) != 1)
        status = error_set(
            err, ERR_TEMPLATE_TYPE, "The fill character must be exactly one character long");
    int64_t pad = status ? 0 : width - (int64_t)jinja_text_length(jinja_text(call->self));
    if (!status && pad > 0)
        status = jinja_check_size(call->render, (uint64_t)pad * fill.size, err);
    if (status)
        return status;
    pad = pad < 0 ? 0 : pad;
    int64_t left = call->name[0] == 'r'   ? pad
                   : call->name[0] == 'l' ? 0
                                          : jinja_center_left(pad, width);
    *ret = jinja_pad_text(call->arena, call->self, left, pad - left, fill);
    return OK;
}

static enum status text_zfill(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"width"};
    struct jinja_value v;
    int64_t width;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = jinja_argument_int(call, "width", v, 0, &width, err);
    int64_t pad = status ? 0 : width - (int64_t)jinja_text_length(jinja_text(call->self));
    if (!status)
        status = jinja_check_size(call->render, (uint64_t)(pad > 0 ? pad : 0), err);
    if (status)
        return status;
    struct jinja_builder b = {.text.arena = call->arena};
    size_t sign = call->self.size && (call->self.text[0] == '-' || call->self.text[0] == '+');
    jinja_builder_add_part(&b, call->self, 0, sign);
    strbuf_add_repeat(&b.text, '0', pad > 0 ? (size_t)pad : 0);
    jinja_builder_add_part(&b, call->self, sign, call->self.size - sign);
    *ret = like_self(call, jinja_builder_end(&b, call->arena));
    return OK;
}

/* Whether a set of characters has `c`. */
static bool has_char(struct slice set, uint32_t c)
{
    for (size_t at = 0; at < set.size;)
        if (jinja_char_next(set, &at) == c)
            return true;
    return false;
}

struct slice jinja_strip_set(struct slice s, struct slice set, bool left, bool right)
{
    size_t start = 0, end = s.size;
    while (left && start < end) {
        size_t next = start;
        if (!has_char(set, jinja_char_next(s, &next)))
            break;
        start = next;
    }
    while (right && end > start) {
        size_t previous = end;
        if (!has_char(set, jinja_char_previous(s, &previous)))
            break;
        end = previous;
    }
    return slice_make(s.p + start, end - start);
}

struct jinja_value jinja_strip(
    struct arena *arena, struct jinja_value text, const struct slice *set, bool left, bool right)
{
    struct slice s = jinja_text(text);
    struct slice kept =
        set ? jinja_strip_set(s, *set, left, right) : jinja_text_strip(s, left, right);
    return jinja_substring(arena, text, (size_t)(kept.p - s.p), kept.size);
}

static enum status text_strip(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"chars"};
    struct jinja_value v;
    struct slice set;
    enum status status = jinja_arguments(call, names, 1, 0, &v, err);
    bool all = jinja_is_absent(v) || v.kind == JINJA_NONE;
    if (!status && !all)
        status = jinja_argument_text(call, "chars", v, NULL, &set, err);
    if (!status)
        *ret = jinja_strip(
            call->arena, call->self, all ? NULL : &set, call->name[0] != 'r', call->name[0] != 'l');
    return status;
}

/* The byte range that the optional arguments start and end (in characters) stand for. */
static enum status read_range(call_t call, struct jinja_value start, struct jinja_value end,
    struct slice *ret, size_t *ret_first, struct error *err)
{
    struct slice s = jinja_text(call->self);
    int64_t from, to, length = (int64_t)jinja_text_length(s);
    if (start.kind == JINJA_NONE)
        start = (struct jinja_value){0};
    if (end.kind == JINJA_NONE)
        end = (struct jinja_value){0};
    enum status status = jinja_argument_int(call, "start", start, 0, &from, err);
    if (!status)
        status = jinja_argument_int(call, "end", end, length, &to, err);
    if (status)
        return status;
    from = from < 0 ? (from + length < 0 ? 0 : from + length) : from;
    to = to < 0 ? to + length : to > length ? length : to;
    *ret_first = (size_t)from;
    if (from > length || to < from) {
        *ret = (struct slice){NULL, 0};
        return OK;
    }
    size_t first = jinja_text_offset(s, (size_t)from);
    size_t last = jinja_text_offset(s, (size_t)to);
    *ret = slice_make(s.p + first, last - first);
    return OK;
}

/* A single byte, the most frequent thing looked for, needs no look at the whole text. */
static const char *find_first(struct slice s, struct slice what)
{
    if (what.size == 1)
        return memchr(s.p, what.p[0], s.size);
    return memmem(s.p, s.size, what.p, what.size);
}

static const char *find_last(struct slice s, struct slice what)
{
    if (what.size > s.size)
        return NULL;
    for (size_t at = s.size - what.size + 1; at > 0; at--)
        if (memcmp(s.p + at - 1, what.p, what.size) == 0)
            return s.p + at - 1;
    return NULL;
}

/* find, rfind, index, rindex. */
static enum status text_find(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"sub", "start", "end"};
    struct jinja_value values[3];
    struct slice what, range;
    size_t first;
    bool last = call->name[0] == 'r', must = strstr(call->name, "index") != NULL;
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    if (!status)
        status = jinja_argument_text(call, "sub", values[0], NULL, &what, err);
    if (!status)
        status = read_range(call, values[1], values[2], &range, &first, err);
    if (status)
        return status;
    const char *found = NULL;
    if (range.p)
        found = last ? find_last(range, what) : find_first(range, what);
    if (!found && must)
        return error_set(err, ERR_TEMPLATE_VALUE, "substring not found");
    *ret = jinja_int(-1);
    if (found)
        *ret = jinja_int(
            (int64_t)(first + jinja_text_length(slice_make(range.p, (size_t)(found - range.p)))));
    return OK;
}

static enum status text_count(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"sub", "start", "end"};
    struct jinja_value values[3];
    struct slice what, range;
    size_t first;
    int64_t count = 0;
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    if (!status)
        status = jinja_argument_text(call, "sub", values[0], NULL, &what, err);
    if (!status)
        status = read_range(call, values[1], values[2], &range, &first, err);
    if (status)
        return status;
    if (range.p && what.size == 0)
        count = (int64_t)jinja_text_length(range) + 1;
    while (range.p && what.size) {
        const char *found = find_first(range, what);
        if (!found)
            break;
        count++;
        size_t gone = (size_t)(found - range.p) + what.size;
        range = slice_make(range.p + gone, range.size - gone);
    }
    *ret = jinja_int(count);
    return OK;
}

/* startswith and endswith, with a string or a tuple of them. */
static enum status text_starts(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"prefix", "start", "end"};
    struct jinja_value values[3];
    struct slice range;
    size_t first;
    bool found = false, at_end = call->name[0] == 'e';
    enum status status = jinja_arguments(call, names, 3, 1, values, err);
    if (!status)
        status = read_range(call, values[1], values[2], &range, &first, err);
    if (status)
        return status;
    bool several = values[0].kind == JINJA_TUPLE;
    size_t count = several ? values[0].list->count : 1;
    for (size_t i = 0; i < count && !found; i++) {
        struct jinja_value v = several ? values[0].list->items[i] : values[0];
        if (v.kind != JINJA_STRING)
            return error_set(err, ERR_TEMPLATE_TYPE,
                "%s first arg must be str or a tuple of str, not %s", call->name,
                jinja_type_name(v));
        found = range.p && v.size <= range.size &&
                memcmp(at_end ? range.p + range.size - v.size : range.p, v.text, v.size) == 0;
    }
    *ret = jinja_bool(found);
    return OK;
}

static enum status text_remove_affix(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"affix"};
    struct jinja_value v;
    struct slice affix, s = jinja_text(call->self);
    bool suffix = strcmp(call->name, "removesuffix") == 0;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = jinja_argument_text(call, "affix", v, NULL, &affix, err);
    if (status)
        return status;
    bool has = affix.size <= s.size &&
               memcmp(suffix ? s.p + s.size - affix.size : s.p, affix.p, affix.size) == 0;
    size_t size = has ? affix.size : 0;
    *ret = jinja_substring(call->arena, call->self, suffix ? 0 : size, s.size - size);
    return OK;
}

/* What stands before the place at `at` that is replaced next, and the place behind it; false at
   the end.  An empty `from` is found before every character and at the end. */
static bool next_place(
    struct slice s, struct slice from, size_t at, bool first, size_t *ret_start, size_t *ret_end)
{
    if (from.size == 0) {
        *ret_start = at;
        if (!first && at < s.size)
            jinja_char_next(s, ret_start);
        *ret_end = *ret_start;
        return first || at < s.size;
    }
    const char *found = find_first(slice_make(s.p + at, s.size - at), from);
    if (!found)
        return false;
    *ret_start = (size_t)(found - s.p);
    *ret_end = *ret_start + from.size;
    return true;
}

enum status jinja_replace(const struct jinja_call *call, struct jinja_value text, struct slice from,
    struct jinja_value to, int64_t count, struct jinja_value *ret, struct error *err)
{
    struct slice s = jinja_text(text);
    struct jinja_builder b = {.text.arena = call->arena};
    size_t at = 0, start, end;
    bool first = true;
    enum status status = OK;
    if (!(to.marks & JINJA_SPREADING_MARKS) && !next_place(s, from, 0, true, &start, &end)) {
        *ret = text;
        ret->marks = (uint8_t)(text.marks & ~JINJA_SAFE);
        return OK;
    }
    for (; !status && count != 0 && next_place(s, from, at, first, &start, &end); count--) {
        jinja_builder_add_part(&b, text, at, start - at);
        jinja_builder_add_part(&b, to, 0, to.size);
        at = end;
        first = false;
        status = jinja_check_size(call->render, b.text.size, err);
    }
    jinja_builder_add_part(&b, text, at, s.size - at);
    *ret = jinja_mark(
        jinja_builder_end(&b, call->arena), (text.marks | to.marks) & JINJA_SPREADING_MARKS);
    return status;
}

static enum status text_replace(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"old", "new", "count"};
    struct jinja_value values[3];
    struct slice from, to;
    int64_t count;
    enum status status = jinja_arguments(call, names, 3, 2, values, err);
    if (!status && call->keyword_count)
        status = error_set(err, ERR_TEMPLATE_TYPE, "replace() takes no keyword arguments");
    if (!status)
        status = jinja_argument_text(call, "old", values[0], NULL, &from, err);
    /* Safe text escapes what it takes in, which makes a text of it. */
    if (!status && (call->self.marks & JINJA_SAFE))
        status = jinja_stringify(call->render, call->arena, values[1], &values[1], err);
    if (!status)
        status = jinja_argument_text(call, "new", values[1], NULL, &to, err);
    if (!status)
        status = jinja_argument_int(call, "count", values[2], -1, &count, err);
    if (!status)
        values[1] = escaped_for(call, values[1]);
    if (!status)
        status = jinja_replace(call, call->self, from, values[1], count, ret, err);
    if (!status)
        *ret = like_self(call, *ret);
    return status;
}

static struct jinja_value part(call_t call, size_t start, size_t end)
{
    return jinja_substring(call->arena, call->self, start, end - start);
}

/* Split at white space; `limit` splits at most, from the right with `right`. */
static void split_spaces(call_t call, int64_t limit, bool right, struct jinja_value list)
{
    struct slice s = jinja_text(call->self);
    size_t at = right ? s.size : 0;
    for (;;) {
        struct slice rest = right ? slice_make(s.p, at) : slice_make(s.p + at, s.size - at);
        struct slice trimmed = jinja_text_strip(rest, !right, right);
        if (trimmed.size == 0)
            return;
        size_t start = (size_t)(trimmed.p - s.p), end = start + trimmed.size;
        if (limit-- == 0) {
            jinja_list_add(call->arena, list, part(call, start, end));
            return;
        }
        at = right ? end : start;
        while (right ? at > 0 : at < s.size) {
            size_t next = at;
            uint32_t c = right ? jinja_char_previous(s, &next) : jinja_char_next(s, &next);
            if (jinja_char_is_space(c))
                break;
            at = next;
        }
        jinja_list_add(call->arena, list, right ? part(call, at, end) : part(call, start, at));
    }
}

static void split_at(
    call_t call, struct slice separator, int64_t limit, bool right, struct jinja_value list)
{
    struct slice s = jinja_text(call->self);
    size_t start = 0, end = s.size;
    while (limit-- != 0) {
        struct slice rest = slice_make(s.p + start, end - start);
        const char *found = right ? find_last(rest, separator) : find_first(rest, separator);
        if (!found)
            break;
        size_t at = (size_t)(found - s.p);
        jinja_list_add(call->arena, list,
            right ? part(call, at + separator.size, end) : part(call, start, at));
        if (right)
            end = at;
        else
            start = at + separator.size;
    }
    jinja_list_add(call->arena, list, part(call, start, end));
}

/* Whether there is room for the parts of a split: a list grows by doubling. */
static enum status check_parts(call_t call, struct slice separator, struct error *err)
{
    struct slice s = jinja_text(call->self);
    uint64_t count = 1;
    while (s.size >= separator.size) {
        const char *found = find_first(s, separator);
        if (!found)
            break;
        count++;
        s = slice_make(found + separator.size, s.size - (size_t)(found - s.p) - separator.size);
    }
    return jinja_check_size(call->render, count * 2 * sizeof(struct jinja_value), err);
}

/* split and rsplit. */
static enum status text_split(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"sep", "maxsplit"};
    struct jinja_value values[2];
    struct slice separator = {0};
    int64_t limit;
    bool right = call->name[0] == 'r';
    enum status status = jinja_arguments(call, names, 2, 0, values, err);
    bool spaces = jinja_is_absent(values[0]) || values[0].kind == JINJA_NONE;
    if (!status && !spaces)
        status = jinja_argument_text(call, "sep", values[0], NULL, &separator, err);
    if (!status)
        status = jinja_argument_int(call, "maxsplit", values[1], -1, &limit, err);
    if (!status && !spaces && separator.size == 0)
        status = error_set(err, ERR_TEMPLATE_VALUE, "empty separator");
    if (!status)
        status = check_parts(call, spaces ? slice_of(" ") : separator, err);
    if (status)
        return status;
    struct jinja_value list = jinja_list_new(call->arena, 0);
    if (spaces)
        split_spaces(call, limit, right, list);
    else
        split_at(call, separator, limit, right, list);
    for (size_t i = 0, k = list.list->count; right && i + 1 < k; i++) {
        struct jinja_value v = list.list->items[i];
        list.list->items[i] = list.list->items[--k];
        list.list->items[k] = v;
    }
    *ret = list;
    return OK;
}

static bool is_line_end(uint32_t c)
{
    return (c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
           c == 0x2029;
}

struct jinja_value jinja_split_lines(struct arena *arena, struct jinja_value text, bool keep_ends)
{
    struct slice s = jinja_text(text);
    struct jinja_value list = jinja_list_new(arena, 0);
    for (size_t start = 0; start < s.size;) {
        size_t at = start, end = s.size;
        while (at < s.size) {
            size_t before = at;
            uint32_t c = jinja_char_next(s, &at);
            if (!is_line_end(c))
                continue;
            end = before;
            if (c == '\r' && at < s.size && s.p[at] == '\n')
                at++;
            break;
        }
        size_t stop = keep_ends ? at : end;
        jinja_list_add(arena, list, jinja_substring(arena, text, start, stop - start));
        start = at;
    }
    return list;
}

static enum status text_splitlines(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"keepends"};
    struct jinja_value v;
    int64_t keep_ends;
    enum status status = jinja_arguments(call, names, 1, 0, &v, err);
    if (!status)
        status = jinja_argument_int(call, "keepends", v, 0, &keep_ends, err);
    if (!status)
        status = check_parts(call, slice_of("\n"), err);
    if (!status)
        *ret = jinja_split_lines(call->arena, call->self, keep_ends != 0);
    return status;
}

static enum status text_partition(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"sep"};
    struct jinja_value v;
    struct slice separator, s = jinja_text(call->self);
    bool right = call->name[0] == 'r';
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = jinja_argument_text(call, "sep", v, NULL, &separator, err);
    if (!status && separator.size == 0)
        status = error_set(err, ERR_TEMPLATE_VALUE, "empty separator");
    if (status)
        return status;
    const char *found = right ? find_last(s, separator) : find_first(s, separator);
    size_t at = found ? (size_t)(found - s.p) : right ? 0 : s.size;
    size_t behind = found ? at + separator.size : at;
    *ret = jinja_tuple_new(call->arena, 3);
    jinja_list_add(call->arena, *ret, part(call, 0, at));
    jinja_list_add(call->arena, *ret, part(call, at, behind));
    jinja_list_add(call->arena, *ret, part(call, behind, s.size));
    return OK;
}

static enum status text_join(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"iterable"};
    struct jinja_value v, item;
    struct jinja_iteration iteration;
    bool more = true, safe = call->self.marks & JINJA_SAFE;
    struct jinja_builder b = {.text.arena = call->arena};
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (!status)
        status = jinja_iterate(call->render, v, &iteration, err);
    for (size_t i = 0; !status; i++) {
        status = jinja_next(call->render, &iteration, &more, &item, err);
        if (status || !more)
            break;
        if (item.kind != JINJA_STRING && !safe)
            status = error_set(err, ERR_TEMPLATE_TYPE,
                "sequence item %zu: expected str instance, %s found", i, jinja_type_name(item));
        if (i)
            jinja_builder_add_part(&b, call->self, 0, call->self.size);
        if (!status)
            status = jinja_builder_add_value(&b, call->render, item, safe, err);
        if (!status)
            status = jinja_check_size(call->render, b.text.size, err);
    }
    *ret = jinja_mark(jinja_builder_end(&b, call->arena), safe ? JINJA_SAFE : 0);
    return status;
}

static enum status text_format(call_t call, struct jinja_value *ret, struct error *err)
{
    return jinja_format_braces(call, ret, err);
}

static enum status text_format_map(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"mapping"};
    struct jinja_value v, key, value;
    enum status status = jinja_arguments(call, names, 1, 1, &v, err);
    if (status)
        return status;
    struct jinja_call inner = *call;
    struct jinja_keyword *keywords =
        arena_array(call->arena, struct jinja_keyword, jinja_mapping_count(v));
    inner.arg_count = inner.keyword_count = 0;
    inner.keywords = keywords;
    for (size_t cursor = 0; jinja_mapping_next(v, &cursor, &key, &value);)
        if (key.kind == JINJA_STRING)
            keywords[inner.keyword_count++] = (struct jinja_keyword){jinja_text(key), value};
    return jinja_format_braces(&inner, ret, err);
}

static enum status text_expandtabs(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"tabsize"};
    struct jinja_value v;
    int64_t size, column = 0;
    enum status status = jinja_arguments(call, names, 1, 0, &v, err);
    if (!status)
        status = jinja_argument_int(call, "tabsize", v, 8, &size, err);
    if (!status)
        status = jinja_check_size(
            call->render, (uint64_t)(size > 0 ? size : 0) * (call->self.size + 1ULL), err);
    if (status)
        return status;
    struct strbuf out = {.arena = call->arena};
    struct slice s = jinja_text(call->self);
    for (size_t at = 0; at < s.size;) {
        size_t start = at;
        uint32_t c = jinja_char_next(s, &at);
        if (c == '\t') {
            int64_t pad = size > 0 ? size - column % size : 0;
            strbuf_add_repeat(&out, ' ', (size_t)pad);
            column += pad;
            continue;
        }
        strbuf_add(&out, s.p + start, at - start);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
    *ret = like_self(call, jinja_take_text(call->arena, &out));
    return OK;
}

const struct jinja_method jinja_string_methods[] = {{"capitalize", text_capitalize},
    {"casefold", text_casefold}, {"center", text_justify}, {"count", text_count},
    {"encode", jinja_text_encode}, {"endswith", text_starts}, {"expandtabs", text_expandtabs},
    {"find", text_find}, {"format", text_format}, {"format_map", text_format_map},
    {"index", text_find}, {"isalnum", text_isalnum}, {"isalpha", text_isalpha},
    {"isascii", text_isascii}, {"isdecimal", text_isdecimal}, {"isdigit", text_isdigit},
    {"isidentifier", text_isidentifier}, {"islower", text_islower}, {"isnumeric", text_isnumeric},
    {"isprintable", text_isprintable}, {"isspace", text_isspace}, {"istitle", text_istitle},
    {"isupper", text_isupper}, {"join", text_join}, {"ljust", text_justify}, {"lower", text_lower},
    {"lstrip", text_strip}, {"partition", text_partition}, {"removeprefix", text_remove_affix},
    {"removesuffix", text_remove_affix}, {"replace", text_replace}, {"rfind", text_find},
    {"rindex", text_find}, {"rjust", text_justify}, {"rpartition", text_partition},
    {"rsplit", text_split}, {"rstrip", text_strip}, {"split", text_split},
    {"splitlines", text_splitlines}, {"startswith", text_starts}, {"strip", text_strip},
    {"swapcase", text_swapcase}, {"title", text_title}, {"translate", jinja_text_translate},
    {"upper", text_upper}, {"zfill", text_zfill}, {NULL, NULL}};
