/* Passwords, keys and tokens that stand in a project's files. */
#include <ctype.h>
#include <strings.h>
#include "definition/lint_internal.h"
#include "definition/report.h"

struct scanning {
    const struct source *source;
    struct diagnostics *found;
    struct slice line;
    size_t offset;  /* of the line */
    bool addresses; /* the text has some */
    bool shapes;    /* and something of the table of shapes */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Where a comment begins in the line; its size without. */
static size_t comment_of(struct slice line)
{
    for (size_t i = 0; i < line.size; i++)
        if ((line.p[i] == '#' && (i == 0 || is_blank(line.p[i - 1]) || line.p[i - 1] == '{')) ||
            (line.p[i] == '-' && i + 1 < line.size && line.p[i + 1] == '-' &&
                (i == 0 || is_blank(line.p[i - 1])) &&
                (i + 2 == line.size || line.p[i + 2] != '-')))
            return i;
    return line.size;
}

/* What cannot be a secret: a reference to one, or what stands for one in an example. */
static bool is_placeholder(struct slice value, bool comment)
{
    static const char *const words[] = {"password", "secret", "pw", "xxx", "changeme", "token"};
    for (size_t i = 0; i < value.size; i++)
        if (strchr("${<*", value.p[i]))
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(words) && comment; i++)
        if (value.size == strlen(words[i]) && strncasecmp(value.p, words[i], value.size) == 0)
            return true;
    return value.size < 3 || slice_equal_str(value, "...");
}

static void report_secret(struct scanning *s, size_t from, size_t to, const char *what)
{
    struct slice value = slice_make(s->line.p + from, to - from);
    struct error error;
    if (is_placeholder(value, from >= comment_of(s->line)))
        return;
    error_set(&error, ERR_LINT, "%s stands here as it is", what);
    error_hint(&error, "take it out of the files, and change it: write `${NAME}` in dag.yaml for a "
                       "variable of the environment, or store it with `dag conn` or `dag var`");
    error_at(&error, s->source->shown, s->source->text.p, s->source->text.size, s->offset + from);
    error.excerpt[0] = '\0'; /* it would be shown once more */
    report_warning(s->found, &error, lint_code_find(slice_of("plain-secret"))->code);
}

/* ---- what is looked for ---------------------------------------------------------------------- */

/* `scheme://user:password@host` */
static void check_uri(struct scanning *s)
{
    const char *at = memmem(s->line.p, s->line.size, "://", 3);
    while (at) {
        size_t user = (size_t)(at - s->line.p) + 3, i = user, colon = 0;
        while (i < s->line.size && !is_blank(s->line.p[i]) && !strchr("/@\"'`", s->line.p[i])) {
            if (s->line.p[i] == ':' && !colon)
                colon = i + 1;
            i++;
        }
        if (colon && i < s->line.size && s->line.p[i] == '@')
            report_secret(s, colon, i, "a password in an address");
        at = memmem(s->line.p + user, s->line.size - user, "://", 3);
    }
}

/* The end of a value of YAML or JSON, or of a word. */
static size_t value_end(struct slice line, size_t from)
{
    char quote = from > 0 ? line.p[from - 1] : '\0';
    size_t end = from;
    bool quoted = quote == '"' || quote == '\'';
    while (end < line.size && (quoted ? line.p[end] != quote
                                      : !is_blank(line.p[end]) && !strchr(",;})]", line.p[end])))
        end++;
    return end;
}

static bool is_word(struct slice word)
{
    static const char *const words[] = {"true", "false", "null", "none", "yes", "no"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (word.size == strlen(words[i]) && strncasecmp(word.p, words[i], word.size) == 0)
            return true;
    return false;
}

/* `API_TOKEN: abc` of YAML; `password 'abc'` and `password=abc` of SQL and its addresses. */
static void check_named(struct scanning *s, size_t end)
{
    size_t from = end;
    bool sql = from < s->line.size && is_blank(s->line.p[from]);
    while (from < s->line.size && (is_blank(s->line.p[from]) || s->line.p[from] == '"'))
        from++;
    /* A column may be called so: with `=` only what has no blanks around it counts. */
    bool column = str_ends(s->source->shown, ".sql");
    bool equals = from == end && from + 1 < s->line.size && s->line.p[from] == '=' &&
                  !is_blank(s->line.p[from + 1]) && !(column && s->line.p[from + 1] == '\'');
    bool key = equals || (from < s->line.size && s->line.p[from] == ':');
    from += key;
    while (key && from < s->line.size && is_blank(s->line.p[from]))
        from++;
    bool quoted = from < s->line.size && (s->line.p[from] == '"' || s->line.p[from] == '\'');
    if (!(key || (sql && quoted && s->line.p[from] == '\'')))
        return;
    from += quoted;
    size_t to = value_end(s->line, from);
    struct slice value = slice_make(s->line.p + from, to - from);
    double number;
    bool code = memchr(value.p, '(', value.size) != NULL;
    if (!is_word(value) && (quoted || (!code && !parse_double(value, &number))))
        report_secret(s, from, to, "what is called a secret");
}

/* Whether a name of a secret may begin there: most words do not begin with two of these letters. */
static bool may_be_name(struct slice line, size_t i)
{
    static const char *const starts[] = {"pa", "pr", "se", "to", "ap", "ac"};
    char first = (char)(line.p[i] | 0x20),
         second = i + 1 < line.size ? (char)(line.p[i + 1] | 0x20) : '\0';
    if (first != 'p' && first != 's' && first != 't' && first != 'a')
        return false;
    for (size_t k = 0; k < ARRAY_SIZE(starts); k++)
        if (first == starts[k][0] && second == starts[k][1])
            return i == 0 || !isalnum((unsigned char)line.p[i - 1]);
    return false;
}

static void check_names(struct scanning *s)
{
    static const char *const names[] = {"password", "passwd", "secret", "token", "api_key",
        "apikey", "access_key", "private_key", "secret_key"};
    for (size_t i = 0; i < s->line.size; i++) {
        if (!may_be_name(s->line, i))
            continue;
        for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
            size_t size = strlen(names[n]);
            if (i + size <= s->line.size && strncasecmp(s->line.p + i, names[n], size) == 0 &&
                i < comment_of(s->line))
                check_named(s, i + size);
        }
    }
}

/* Keys that say themselves what they are. */
static const struct {
    const char *prefix, *what;
    size_t letters; /* that follow at least */
} shapes[] = {{"AKIA", "an access key of AWS", 16}, {"ghp_", "a token of GitHub", 36},
    {"glpat-", "a token of GitLab", 20}, {"xoxb-", "a token of Slack", 20},
    {"Bearer ", "a bearer token", 16}, {"-----BEGIN ", "a private key", 0}};

static void check_shapes(struct scanning *s)
{
    for (size_t n = 0; n < ARRAY_SIZE(shapes); n++) {
        size_t size = strlen(shapes[n].prefix);
        const char *at = memmem(s->line.p, s->line.size, shapes[n].prefix, size);
        if (!at)
            continue;
        size_t from = (size_t)(at - s->line.p), to = from + size;
        while (to < s->line.size &&
               (isalnum((unsigned char)s->line.p[to]) || strchr("-_.+/=", s->line.p[to])))
            to++;
        bool key =
            !shapes[n].letters && memmem(at, s->line.size - from, "PRIVATE KEY-----", 16) != NULL;
        if (key || (shapes[n].letters && to - from - size >= shapes[n].letters))
            report_secret(s, from, to, shapes[n].what);
    }
}

/* In programs, what is called a secret is a variable, as a rule. */
static bool is_scanned(const struct source *source)
{
    static const char *const endings[] = {".yaml", ".yml", ".sql", ".j2", ".jinja"};
    bool fits = false;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        fits |= str_ends(source->shown, endings[i]);
    return fits && !source->missing;
}

static void scan(const struct source *source, struct diagnostics *found)
{
    struct slice text = source->text;
    struct scanning s = {.source = source, .found = found};
    s.addresses = memmem(text.p, text.size, "://", 3) != NULL;
    for (size_t n = 0; n < ARRAY_SIZE(shapes); n++)
        s.shapes |= memmem(text.p, text.size, shapes[n].prefix, strlen(shapes[n].prefix)) != NULL;
    while (s.offset < text.size) {
        const char *end = memchr(text.p + s.offset, '\n', text.size - s.offset);
        size_t size = end ? (size_t)(end - text.p) - s.offset : text.size - s.offset;
        s.line = slice_make(text.p + s.offset, size);
        if (s.addresses)
            check_uri(&s);
        check_names(&s);
        if (s.shapes)
            check_shapes(&s);
        s.offset += size + 1;
    }
}

void lint_secrets(const struct sources *sources, struct diagnostics *found)
{
    for (size_t i = 0; i < sources_count(sources); i++)
        if (is_scanned(sources_at(sources, i)))
            scan(sources_at(sources, i), found);
}
