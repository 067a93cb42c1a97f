/*
 * The filter `urlize`: addresses in a text become links.  What counts as an address is what
 * Jinja2 3.1 takes for one.
 */
#include "language/jinja/filters.h"
#include "language/jinja/unicode.h"

/* A word that is taken apart: `head` brackets, `middle` the candidate, `tail` punctuation; each
   ends where the next starts. */
struct word {
    const char *head, *middle, *tail, *end;
};

struct linker {
    struct strbuf out;
    struct slice attributes; /* ` rel="…" target="…"`, ready to be written */
    bool shortens;
    int64_t shown_max; /* characters of an address that are shown, when it shortens */
    struct jinja_value schemes;
};

static struct slice between(const char *from, const char *to)
{
    return slice_make(from, (size_t)(to - from));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool starts_with(struct slice s, const char *prefix)
{
    size_t size = strlen(prefix);
    return s.size >= size && memcmp(s.p, prefix, size) == 0;
}

static bool starts_with_any_case(struct slice s, const char *prefix)
{
    size_t i = 0;
    while (prefix[i] && i < s.size && lower(s.p[i]) == prefix[i])
        i++;
    return !prefix[i];
}

static struct slice behind(struct slice s, size_t size)
{
    return slice_make(s.p + size, s.size - size);
}

/* Whether all of `s` are word characters or of `more`, and `least` to `most` of them. */
static bool is_made_of(struct slice s, const char *more, size_t least, size_t most)
{
    size_t count = 0;
    for (size_t at = 0; at < s.size; count++) {
        uint32_t c = jinja_char_next(s, &at);
        bool extra = c == '_' || (c && c < 0x80 && strchr(more, (int)c));
        if (!extra && !jinja_char_is_word(c))
            return false;
    }
    return count >= least && count <= most;
}

static bool is_decimal(struct slice s, size_t most)
{
    size_t count = 0;
    for (size_t at = 0; at < s.size; count++)
        if (!jinja_char_is_decimal(jinja_char_next(s, &at)))
            return false;
    return count >= 1 && count <= most;
}

/* Takes the part before the first `c` off `s`; all of it when there is none. */
static struct slice take_until(struct slice *s, char c)
{
    const char *at = s->size ? memchr(s->p, c, s->size) : NULL;
    struct slice part = at ? between(s->p, at) : *s;
    *s = at ? behind(*s, part.size + 1) : slice_make(s->p + s->size, 0);
    return part;
}

/* What may follow a host: a port, a path. */
static bool is_rest(struct slice s)
{
    if (s.size && s.p[0] == ':') {
        size_t size = 1;
        while (size < s.size && !strchr("/?#", s.p[size]))
            size++;
        if (!is_decimal(slice_make(s.p + 1, size - 1), 5))
            return false;
        s = behind(s, size);
    }
    return s.size == 0 || strchr("/?#", s.p[0]);
}

static bool is_top_domain(struct slice s)
{
    if (starts_with_any_case(s, "xn--") && is_made_of(behind(s, 4), "%", 2, 59))
        return true;
    for (size_t i = 0; i < s.size; i++)
        if (lower(s.p[i]) < 'a' || lower(s.p[i]) > 'z')
            return false;
    return s.size >= 2 && s.size <= 63;
}

static bool is_known_top_domain(struct slice s)
{
    static const char *const known[] = {"com", "net", "int", "edu", "gov", "org", "info", "mil"};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (s.size == strlen(known[i]) && starts_with_any_case(s, known[i]))
            return true;
    return false;
}

/* Labels of `least` to `most` characters, then a top domain. */
static bool is_domain(
    struct slice host, size_t least, size_t most, bool (*is_top)(struct slice s), bool alone)
{
    struct slice label = take_until(&host, '.');
    if (!alone && !host.size)
        return false;
    while (host.size) {
        if (!is_made_of(label, "%-", least, most))
            return false;
        label = take_until(&host, '.');
    }
    return is_top(label) && label.p + label.size == host.p;
}

static bool is_ipv4(struct slice host)
{
    for (int i = 0; i < 4; i++)
        if (!is_decimal(take_until(&host, '.'), 3))
            return false;
    return host.size == 0 && host.p[-1] != '.';
}

/* "[…]": two groups of up to four digits with a colon, then one to six with or without. */
static bool is_ipv6(struct slice s, size_t *ret_size)
{
    const char *close = s.size && s.p[0] == '[' ? memchr(s.p, ']', s.size) : NULL;
    size_t digits = 0, groups = 0, colons = 0;
    if (!close)
        return false;
    for (const char *p = s.p + 1; p <= close; p++) {
        if (*p == ':' || p == close) {
            if (colons < 2 && (p == close || digits > 4))
                return false;
            if (colons++ >= 2)
                groups += *p == ':' && !digits ? 1 : (digits + 3) / 4;
            digits = 0;
        } else if ((*p >= '0' && *p <= '9') || (lower(*p) >= 'a' && lower(*p) <= 'f')) {
            digits++;
        } else {
            return false;
        }
    }
    *ret_size = (size_t)(close - s.p) + 1;
    return groups <= 6;
}

static bool is_web_address(struct slice s)
{
    size_t scheme = starts_with_any_case(s, "https://")  ? 8
                    : starts_with_any_case(s, "http://") ? 7
                                                         : 0;
    size_t prefix = scheme ? scheme : starts_with_any_case(s, "www.") ? 4 : 0, size;
    struct slice rest = behind(s, prefix), all = s;
    if (scheme && is_ipv6(rest, &size))
        return is_rest(behind(rest, size));
    for (size = 0; size < rest.size && !strchr(":/?#", rest.p[size]);)
        size++;
    struct slice host = slice_make(rest.p, size);
    if (!is_rest(behind(rest, size)))
        return false;
    if (prefix && is_domain(host, 1, SIZE_MAX, is_top_domain, true))
        return true;
    if (scheme)
        return is_ipv4(host);
    return is_domain(between(all.p, host.p + host.size), 2, 63, is_known_top_domain, false);
}

static bool is_mail_address(struct slice s)
{
    const char *at = s.size ? memrchr(s.p, '@', s.size) : NULL;
    if (!at || at == s.p)
        return false;
    struct slice domain = between(at + 1, s.p + s.size);
    const char *dot = domain.size ? memrchr(domain.p, '.', domain.size) : NULL;
    return dot && domain.p[0] != '.' && domain.p[0] != '-' &&
           is_made_of(between(domain.p, dot), ".-", 1, SIZE_MAX) &&
           is_made_of(between(dot + 1, domain.p + domain.size), "", 1, SIZE_MAX);
}

static size_t count_of(struct slice s, const char *what)
{
    size_t count = 0, size = strlen(what);
    for (size_t i = 0; i + size <= s.size;) {
        bool found = memcmp(s.p + i, what, size) == 0;
        count += found;
        i += found ? size : 1;
    }
    return count;
}

/* A closing bracket belongs to the address when its opening one does. */
static void balance(struct word *w, const char *open, const char *close)
{
    size_t opened = count_of(between(w->middle, w->tail), open);
    if (opened <= count_of(between(w->middle, w->tail), close))
        return;
    size_t closing = count_of(between(w->tail, w->end), close), size = strlen(close);
    for (size_t n = opened < closing ? opened : closing; n > 0; n--)
        w->tail = (const char *)memmem(w->tail, (size_t)(w->end - w->tail), close, size) + size;
}

static struct word take_apart(struct slice s)
{
    struct word w = {s.p, s.p, s.p + s.size, s.p + s.size};
    for (size_t size = 1; size && w.middle < w.end; w.middle += size)
        size = strchr("(<", *w.middle) ? 1 : starts_with(between(w.middle, w.end), "&lt;") ? 4 : 0;
    for (size_t size = 1; size && w.tail > w.middle; w.tail -= size) {
        bool escaped = w.tail - w.middle >= 4 && memcmp(w.tail - 4, "&gt;", 4) == 0;
        size = strchr(")>.,", w.tail[-1]) ? 1 : escaped ? 4 : 0;
    }
    balance(&w, "(", ")");
    balance(&w, "<", ">");
    balance(&w, "&lt;", "&gt;");
    return w;
}

static void add_shown(struct linker *l, struct slice address)
{
    int64_t length = (int64_t)jinja_text_length(address), shown = l->shown_max;
    if (!l->shortens || length <= shown) {
        strbuf_add_slice(&l->out, address);
        return;
    }
    shown = shown < 0 ? shown + length : shown;
    strbuf_add(&l->out, address.p, shown > 0 ? jinja_text_offset(address, (size_t)shown) : 0);
    strbuf_add_str(&l->out, "...");
}

static void add_link(struct linker *l, const char *prefix, struct slice target,
    struct slice attributes, struct slice shown)
{
    strbuf_printf(&l->out, "<a href=\"%s", prefix);
    strbuf_add_slice(&l->out, target);
    strbuf_add_char(&l->out, '"');
    strbuf_add_slice(&l->out, attributes);
    strbuf_add_char(&l->out, '>');
    add_shown(l, shown);
    strbuf_add_str(&l->out, "</a>");
}

static bool has_extra_scheme(const struct linker *l, struct slice s)
{
    for (size_t i = 0; l->schemes.kind == JINJA_LIST && i < l->schemes.list->count; i++) {
        struct slice scheme = jinja_text(l->schemes.list->items[i]);
        if (s.size > scheme.size && memcmp(s.p, scheme.p, scheme.size) == 0)
            return true;
    }
    return false;
}

static void add_middle(struct linker *l, struct slice s)
{
    const struct slice none = {0};
    bool shortens = l->shortens;
    if (is_web_address(s)) {
        bool complete = starts_with(s, "https://") || starts_with(s, "http://");
        add_link(l, complete ? "" : "https://", s, l->attributes, s);
        return;
    }
    l->shortens = false; /* other links are shown whole */
    if (starts_with(s, "mailto:") && is_mail_address(behind(s, 7)))
        add_link(l, "", s, none, behind(s, 7));
    else if (!starts_with(s, "www.") && !starts_with(s, "@") && !count_of(s, ":") &&
             is_mail_address(s))
        add_link(l, "mailto:", s, none, s);
    else if (has_extra_scheme(l, s))
        add_link(l, "", s, l->attributes, s);
    else
        strbuf_add_slice(&l->out, s);
    l->shortens = shortens;
}

static void add_text(struct linker *l, struct slice s)
{
    size_t start = 0, at = 0, before;
    while (start < s.size) {
        for (before = at; at < s.size; before = at)
            if (jinja_char_is_space(jinja_char_next(s, &at)))
                break;
        struct word w = take_apart(slice_make(s.p + start, before - start));
        strbuf_add_slice(&l->out, between(w.head, w.middle));
        add_middle(l, between(w.middle, w.tail));
        strbuf_add_slice(&l->out, between(w.tail, w.end));
        strbuf_add_slice(&l->out, slice_make(s.p + before, at - before));
        start = at;
    }
}

static int compare_words(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* ` rel="…" target="…"`, the words of `rel` in order and each once. */
static void add_attributes(struct strbuf *out, struct slice rel, bool nofollow, struct slice target)
{
    VEC(struct slice) words = {0};
    vec_push(&words, slice_of("noopener"));
    if (nofollow)
        vec_push(&words, slice_of("nofollow"));
    for (rel = jinja_text_strip(rel, true, true); rel.size;) {
        size_t at = 0, end = 0;
        while (at < rel.size && !jinja_char_is_space(jinja_char_next(rel, &at)))
            end = at;
        vec_push(&words, slice_make(rel.p, end));
        rel = jinja_text_strip(behind(rel, end), true, false);
    }
    qsort(words.at, words.count, sizeof *words.at, compare_words);
    strbuf_add_str(out, " rel=\"");
    for (size_t i = 0; i < words.count; i++) {
        if (i && slice_equal(words.at[i], words.at[i - 1]))
            continue;
        strbuf_add_str(out, i ? " " : "");
        jinja_escape_html(words.at[i], out);
    }
    vec_done(&words);
    strbuf_add_str(out, target.size ? "\" target=\"" : "");
    jinja_escape_html(target, out);
    strbuf_add_char(out, '"');
}

/* A scheme: word characters, dots, plus and minus signs, then ":", "/" at most twice. */
static bool is_scheme(struct slice s)
{
    const char *colon = s.size ? memchr(s.p, ':', s.size) : NULL;
    return colon && is_made_of(between(s.p, colon), ".+-", 2, SIZE_MAX) &&
           s.p + s.size - colon <= 3 &&
           count_of(between(colon + 1, s.p + s.size), "/") == (size_t)(s.p + s.size - colon - 1);
}

static enum status read_schemes(
    call_t call, struct jinja_value v, struct jinja_value *ret, struct error *err)
{
    *ret = (struct jinja_value){0};
    if (jinja_is_absent(v) || v.kind == JINJA_NONE)
        return OK;
    enum status status = jinja_collect(call->render, call->arena, v, ret, err);
    for (size_t i = 0; !status && i < ret->list->count; i++)
        if (ret->list->items[i].kind != JINJA_STRING || !is_scheme(jinja_text(ret->list->items[i])))
            status = error_set(err, ERR_TEMPLATE_VALUE,
                "urlize: item %zu of extra_schemes is not a valid URI scheme prefix", i + 1);
    return status;
}

static enum status optional_text(
    call_t call, const char *name, struct jinja_value v, struct slice *ret, struct error *err)
{
    v = v.kind == JINJA_NONE ? (struct jinja_value){0} : v;
    return jinja_argument_text(call, name, v, "", ret, err);
}

static struct slice escaped(struct jinja_value text, struct strbuf *buffer)
{
    if (text.marks & JINJA_SAFE)
        return jinja_text(text);
    jinja_escape_html(jinja_text(text), buffer);
    return slice_make(strbuf_text(buffer), buffer->size);
}

enum status jinja_filter_urlize(call_t call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {
        "value", "trim_url_limit", "nofollow", "target", "rel", "extra_schemes"};
    struct jinja_value v[ARRAY_SIZE(names)], text;
    struct slice target, rel;
    struct linker l = {0};
    enum status status = jinja_arguments(call, names, ARRAY_SIZE(names), 1, v, err);
    if (!status)
        status = jinja_filter_text(call, v[0], &text, err);
    l.shortens = !status && !jinja_is_absent(v[1]) && v[1].kind != JINJA_NONE;
    if (l.shortens)
        status = jinja_argument_int(call, names[1], v[1], 0, &l.shown_max, err);
    if (!status)
        status = optional_text(call, names[3], v[3], &target, err);
    if (!status)
        status = optional_text(call, names[4], v[4], &rel, err);
    if (!status)
        status = read_schemes(call, v[5], &l.schemes, err);
    if (status)
        return status;
    CLEANUP(strbuf_done) struct strbuf source = {0}, attributes = {0};
    add_attributes(&attributes, rel, jinja_argument_bool(v[2], false), target);
    l.attributes = slice_make(strbuf_text(&attributes), attributes.size);
    add_text(&l, escaped(text, &source));
    *ret = jinja_take_text(call->arena, &l.out);
    *ret = jinja_mark(*ret, (text.marks & ~JINJA_SAFE) | (call->autoescape ? JINJA_SAFE : 0u));
    return OK;
}
