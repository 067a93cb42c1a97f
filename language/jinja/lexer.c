/*
 * From text to tokens.  Outside of tags everything is data; in a tag white space separates tokens.
 * Tokens are made on demand, so that of two mistakes the first one in the text is reported.
 */
#include "language/jinja/syntax.h"
#include "language/jinja/unicode.h"

void jinja_lexer_init(struct jinja_lexer *lexer, const struct jinja_template *template,
    const struct jinja_options *options)
{
    *lexer = (struct jinja_lexer){.arena = template->arena,
        .template = template,
        .text = template->text,
        .line = 1,
        .line_starting = true,
        .trim_blocks = options->trim_blocks,
        .lstrip_blocks = options->lstrip_blocks};
}

void jinja_lexer_done(struct jinja_lexer *lexer)
{
    vec_done(&lexer->balance);
}

enum status jinja_lexer_fail(
    const struct jinja_lexer *lexer, uint32_t line, size_t offset, struct error *err)
{
    if (!err)
        return ERR_TEMPLATE_SYNTAX;
    if (!err->place.line)
        jinja_set_place(lexer->template, line, offset, err);
    return err->status;
}

static uint32_t line_at(struct jinja_lexer *lexer, size_t offset)
{
    while (lexer->counted < offset) {
        const char *from = lexer->text.p + lexer->counted;
        const char *newline = memchr(from, '\n', offset - lexer->counted);
        if (!newline)
            break;
        lexer->line++;
        lexer->counted = (size_t)(newline + 1 - lexer->text.p);
    }
    return lexer->line;
}

static struct jinja_token token_at(
    struct jinja_lexer *lexer, enum jinja_token_kind kind, size_t start, size_t end)
{
    return (struct jinja_token){.kind = kind,
        .text = slice_make(lexer->text.p + start, end - start),
        .offset = (uint32_t)start,
        .line = line_at(lexer, start)};
}

static enum status fail_at(
    struct jinja_lexer *lexer, size_t offset, struct error *err, const char *message)
{
    uint32_t line = line_at(lexer, offset);
    error_set(err, ERR_TEMPLATE_SYNTAX, "%s", message);
    return jinja_lexer_fail(lexer, line, offset, err);
}

static bool has_at(const struct jinja_lexer *lexer, size_t at, const char *what)
{
    size_t size = strlen(what);
    return at <= lexer->text.size && lexer->text.size - at >= size &&
           memcmp(lexer->text.p + at, what, size) == 0;
}

static size_t skip_space(const struct jinja_lexer *lexer, size_t at)
{
    while (at < lexer->text.size) {
        size_t next = at;
        if (!jinja_char_is_space(jinja_char_next(lexer->text, &next)))
            break;
        at = next;
    }
    return at;
}

/* The end of `-%}`, `+%}` or `%}` at `at` with what they swallow; 0 when there is none. */
static size_t block_end_at(const struct jinja_lexer *lexer, size_t at, const char *close)
{
    char with_sign[4] = {'+', close[0], close[1], '\0'};
    if (has_at(lexer, at, with_sign))
        return at + 3;
    with_sign[0] = '-';
    if (has_at(lexer, at, with_sign))
        return skip_space(lexer, at + 3);
    if (!has_at(lexer, at, close))
        return 0;
    at += 2;
    return lexer->trim_blocks && has_at(lexer, at, "\n") ? at + 1 : at;
}

/* The end of `{%- raw %}`'s kind of tag whose `{%` and sign end at `at`; 0 when it is another. */
static size_t raw_tag_end(const struct jinja_lexer *lexer, size_t at, const char *word)
{
    at = skip_space(lexer, at);
    if (!has_at(lexer, at, word))
        return 0;
    at = skip_space(lexer, at + strlen(word));
    if (strcmp(word, "endraw") == 0)
        return block_end_at(lexer, at, "%}");
    if (has_at(lexer, at, "-%}"))
        return skip_space(lexer, at + 3);
    return has_at(lexer, at, "%}") ? at + 2 : 0;
}

/* How much of the data before a tag stays: `-` strips all white space, and with lstrip_blocks
   what stands between the line's start and the tag goes. */
static size_t data_end(
    const struct jinja_lexer *lexer, size_t start, size_t end, char sign, bool is_variable)
{
    struct slice data = slice_make(lexer->text.p + start, end - start);
    if (sign == '-')
        return start + jinja_text_strip(data, false, true).size;
    if (sign == '+' || !lexer->lstrip_blocks || is_variable)
        return end;
    const char *newline = memrchr(data.p, '\n', data.size);
    size_t line = newline ? (size_t)(newline + 1 - data.p) : 0;
    if (line == 0 && !lexer->line_starting)
        return end;
    struct slice rest = slice_make(data.p + line, data.size - line);
    return jinja_text_strip(rest, true, false).size == 0 ? start + line : end;
}

static bool is_sign(char c)
{
    return c == '-' || c == '+';
}

static void note_line_start(struct jinja_lexer *lexer)
{
    lexer->line_starting = lexer->at > 0 && lexer->text.p[lexer->at - 1] == '\n';
}

/* Behind `{% raw %}`: everything up to the endraw tag is data. */
static enum status lex_raw(struct jinja_lexer *lexer, struct jinja_token *ret, struct error *err)
{
    size_t start = lexer->at;
    if (start >= lexer->text.size) {
        *ret = token_at(lexer, TOKEN_DATA, start, start);
        return OK;
    }
    for (size_t at = start; at + 1 < lexer->text.size; at++) {
        const char *open = memmem(lexer->text.p + at, lexer->text.size - at, "{%", 2);
        if (!open)
            break;
        at = (size_t)(open - lexer->text.p);
        char sign = at + 2 < lexer->text.size ? lexer->text.p[at + 2] : '\0';
        size_t end = raw_tag_end(lexer, at + 2 + is_sign(sign), "endraw");
        if (end) {
            size_t stop = data_end(lexer, start, at, is_sign(sign) ? sign : '\0', false);
            *ret = token_at(lexer, TOKEN_DATA, start, stop);
            lexer->at = end;
            note_line_start(lexer);
            return OK;
        }
    }
    return fail_at(lexer, start, err, "missing end of raw directive: `{% endraw %}` is not there");
}

/* Behind `{#`. */
static enum status skip_comment(struct jinja_lexer *lexer, struct error *err)
{
    size_t start = lexer->at;
    if (start >= lexer->text.size)
        return OK;
    const char *close = memmem(lexer->text.p + start, lexer->text.size - start, "#}", 2);
    if (!close)
        return fail_at(lexer, start, err, "missing end of comment tag: `#}` is not there");
    size_t at = (size_t)(close - lexer->text.p);
    /* A sign belongs to the end tag, unless it is the one of the begin tag. */
    size_t end = at > start && is_sign(lexer->text.p[at - 1]) ? block_end_at(lexer, at - 1, "#}")
                                                              : block_end_at(lexer, at, "#}");
    lexer->at = end;
    note_line_start(lexer);
    return OK;
}

/* The next tag from `at` on; false when there is none. */
static bool find_tag(const struct jinja_lexer *lexer, size_t at, size_t *ret)
{
    while (at + 1 < lexer->text.size) {
        const char *brace = memchr(lexer->text.p + at, '{', lexer->text.size - at - 1);
        if (!brace)
            return false;
        if (brace[1] == '{' || brace[1] == '%' || brace[1] == '#') {
            *ret = (size_t)(brace - lexer->text.p);
            return true;
        }
        at = (size_t)(brace + 1 - lexer->text.p);
    }
    return false;
}

/* One step outside of tags: data up to the next tag, whose begin waits behind it.  False when
   there is no data. */
static bool lex_root(struct jinja_lexer *lexer, struct jinja_token *ret)
{
    size_t start = lexer->at, tag;
    if (!find_tag(lexer, start, &tag)) {
        lexer->at = lexer->text.size;
        *ret = token_at(lexer, TOKEN_DATA, start, lexer->at);
        return true;
    }
    char kind = lexer->text.p[tag + 1];
    char sign = tag + 2 < lexer->text.size ? lexer->text.p[tag + 2] : '\0';
    sign = is_sign(sign) ? sign : '\0';
    size_t end = data_end(lexer, start, tag, sign, kind == '{');
    struct jinja_token data = token_at(lexer, TOKEN_DATA, start, end);
    lexer->at = tag + 2 + (sign != '\0');
    size_t raw_end = kind == '%' ? raw_tag_end(lexer, lexer->at, "raw") : 0;
    lexer->line_starting = false;
    if (kind == '#' || raw_end) {
        lexer->pending = true;
        lexer->pending_token = token_at(lexer, TOKEN_END, tag, tag);
        lexer->pending_token.kind = kind == '#' ? TOKEN_END : TOKEN_DATA;
        if (raw_end) {
            lexer->at = raw_end;
            note_line_start(lexer);
        }
    } else {
        lexer->state = kind == '{' ? LEXER_VARIABLE : LEXER_BLOCK;
        lexer->pending = true;
        lexer->pending_token =
            token_at(lexer, kind == '{' ? TOKEN_VARIABLE_BEGIN : TOKEN_BLOCK_BEGIN, tag, lexer->at);
    }
    *ret = data;
    return data.text.size > 0;
}

/* What stands behind the data: the begin token of a tag, a comment to skip, a raw block. */
static enum status lex_pending(
    struct jinja_lexer *lexer, struct jinja_token *ret, bool *ret_made, struct error *err)
{
    lexer->pending = false;
    *ret_made = false;
    if (lexer->pending_token.kind == TOKEN_END)
        return skip_comment(lexer, err);
    if (lexer->pending_token.kind == TOKEN_DATA) {
        enum status status = lex_raw(lexer, ret, err);
        *ret_made = status == OK && ret->text.size > 0;
        return status;
    }
    *ret = lexer->pending_token;
    *ret_made = true;
    return OK;
}

static const struct {
    char text[3];
    enum jinja_sign sign;
} signs[] = {{"//", SIGN_FLOOR_DIVIDE}, {"==", SIGN_EQUAL}, {">=", SIGN_GREATER_EQUAL},
    {"<=", SIGN_LESS_EQUAL}, {"!=", SIGN_NOT_EQUAL}, {"**", SIGN_POWER}, {"+", SIGN_ADD},
    {"-", SIGN_SUBTRACT}, {"/", SIGN_DIVIDE}, {"*", SIGN_MULTIPLY}, {"%", SIGN_MODULO},
    {"~", SIGN_TILDE}, {"[", SIGN_BRACKET_OPEN}, {"]", SIGN_BRACKET_CLOSE}, {"(", SIGN_PAREN_OPEN},
    {")", SIGN_PAREN_CLOSE}, {"{", SIGN_BRACE_OPEN}, {"}", SIGN_BRACE_CLOSE}, {">", SIGN_GREATER},
    {"<", SIGN_LESS}, {"=", SIGN_ASSIGN}, {".", SIGN_DOT}, {":", SIGN_COLON}, {"|", SIGN_PIPE},
    {",", SIGN_COMMA}, {";", SIGN_SEMICOLON}};

static enum status balance_brackets(struct jinja_lexer *lexer, char c, struct error *err)
{
    static const char pairs[] = "{}()[]";
    const char *p = strchr(pairs, c);
    if (!p)
        return OK;
    if ((p - pairs) % 2 == 0) {
        if (lexer->balance.count >= JINJA_NESTING_MAX) {
            fail_at(lexer, lexer->at, err, "brackets are nested too deeply");
            if (err)
                err->status = ERR_TEMPLATE_DEPTH_LIMIT;
            return ERR_TEMPLATE_DEPTH_LIMIT;
        }
        vec_push(&lexer->balance, p[1]);
        return OK;
    }
    char message[64];
    if (lexer->balance.count == 0) {
        snprintf(message, sizeof message, "unexpected '%c'", c);
        return fail_at(lexer, lexer->at, err, message);
    }
    char due = vec_pop(&lexer->balance);
    if (due == c)
        return OK;
    snprintf(message, sizeof message, "unexpected '%c', expected '%c'", c, due);
    return fail_at(lexer, lexer->at, err, message);
}

static enum status lex_sign(struct jinja_lexer *lexer, struct jinja_token *ret, struct error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
        if (!has_at(lexer, lexer->at, signs[i].text))
            continue;
        size_t size = strlen(signs[i].text);
        enum status status = size == 1 ? balance_brackets(lexer, signs[i].text[0], err) : OK;
        if (status)
            return status;
        *ret = token_at(lexer, TOKEN_OPERATOR, lexer->at, lexer->at + size);
        ret->sign = signs[i].sign;
        lexer->at += size;
        return OK;
    }
    size_t end = lexer->at;
    jinja_char_next(lexer->text, &end);
    char message[64];
    snprintf(message, sizeof message, "unexpected char '%.*s'", (int)(end - lexer->at),
        lexer->text.p + lexer->at);
    return fail_at(lexer, lexer->at, err, message);
}

/* The end of digits at `at` that may have single underscores between them. */
static size_t digits_end(const struct jinja_lexer *lexer, size_t at, const char *digits)
{
    size_t end = at;
    for (; at < lexer->text.size; at++) {
        char c = lexer->text.p[at];
        if (c && strchr(digits, c))
            end = at + 1;
        else if (c != '_' || end != at || at == lexer->at)
            break;
    }
    return end;
}

#define DECIMAL "0123456789"

/* The end of a float at the lexer's place; 0 when there is none. */
static size_t float_end(const struct jinja_lexer *lexer)
{
    size_t start = lexer->at;
    if (start > 0 && lexer->text.p[start - 1] == '.')
        return 0;
    size_t at = digits_end(lexer, start, DECIMAL), end = 0;
    if (at == start)
        return 0;
    if (has_at(lexer, at, ".")) {
        size_t fraction = digits_end(lexer, at + 1, DECIMAL);
        if (fraction == at + 1)
            return 0;
        end = at = fraction;
    }
    if (has_at(lexer, at, "e") || has_at(lexer, at, "E")) {
        size_t sign = at + 1 < lexer->text.size && is_sign(lexer->text.p[at + 1]);
        size_t exponent = digits_end(lexer, at + 1 + sign, DECIMAL);
        if (exponent > at + 1 + sign)
            end = exponent;
    }
    return end;
}

/* Digits without underscores; text too long for any number is cut, which overflows all the same. */
static size_t plain_digits(struct slice s, char *ret, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < s.size && n + 1 < size; i++)
        if (s.p[i] != '_')
            ret[n++] = s.p[i];
    ret[n] = '\0';
    return n;
}

static enum status lex_integer(
    struct jinja_lexer *lexer, struct jinja_token *ret, struct error *err)
{
    static const struct {
        char letter;
        unsigned base;
        const char *digits;
    } bases[] = {{'b', 2, "01"}, {'o', 8, "01234567"}, {'x', 16, "0123456789abcdefABCDEF"}};
    size_t start = lexer->at, end = 0;
    unsigned base = 10;
    for (size_t i = 0; i < ARRAY_SIZE(bases) && lexer->text.p[start] == '0'; i++) {
        if (start + 1 >= lexer->text.size || (lexer->text.p[start + 1] | 32) != bases[i].letter)
            continue;
        size_t first = start + 2 + has_at(lexer, start + 2, "_");
        size_t stop = digits_end(lexer, first, bases[i].digits);
        if (stop > first) {
            end = stop;
            base = bases[i].base;
        }
    }
    if (!end)
        end = digits_end(lexer, start, lexer->text.p[start] == '0' ? "0" : DECIMAL);
    *ret = token_at(lexer, TOKEN_INTEGER, start, end);
    uint64_t value = 0;
    for (size_t i = start + (base == 10 ? 0 : 2); i < end; i++) {
        char c = lexer->text.p[i];
        if (c == '_')
            continue;
        unsigned digit = (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        if (value > (uint64_t)(INT64_MAX - digit) / base)
            return fail_at(lexer, start, err, "the integer is larger than 64 bits hold");
        value = value * base + digit;
    }
    ret->integer = (int64_t)value;
    lexer->at = end;
    return OK;
}

static enum status lex_number(struct jinja_lexer *lexer, struct jinja_token *ret, struct error *err)
{
    size_t end = float_end(lexer);
    if (!end)
        return lex_integer(lexer, ret, err);
    *ret = token_at(lexer, TOKEN_FLOAT, lexer->at, end);
    char digits[512];
    size_t size = plain_digits(ret->text, digits, sizeof digits);
    if (!parse_double(slice_make(digits, size), &ret->real))
        return fail_at(lexer, lexer->at, err, "the number cannot be read");
    lexer->at = end;
    return OK;
}

static enum status lex_string(struct jinja_lexer *lexer, struct jinja_token *ret, struct error *err)
{
    char quote = lexer->text.p[lexer->at];
    size_t at = lexer->at + 1;
    while (at < lexer->text.size && lexer->text.p[at] != quote)
        at += lexer->text.p[at] == '\\' ? 2 : 1;
    if (at >= lexer->text.size) {
        char message[48];
        snprintf(message, sizeof message, "unexpected char %s: the string is not closed",
            quote == '"' ? "'\"'" : "\"'\"");
        return fail_at(lexer, lexer->at, err, message);
    }
    *ret = token_at(lexer, TOKEN_STRING, lexer->at, at + 1);
    const char *message;
    struct slice raw = slice_make(lexer->text.p + lexer->at + 1, at - lexer->at - 1);
    if (!jinja_unescape(lexer->arena, raw, &ret->text, &message))
        return fail_at(lexer, lexer->at, err, message);
    lexer->at = at + 1;
    return OK;
}

/* Inside `{{ … }}` and `{% … %}`. */
static enum status lex_tag(struct jinja_lexer *lexer, struct jinja_token *ret, struct error *err)
{
    if (lexer->balance.count == 0) {
        bool variable = lexer->state == LEXER_VARIABLE;
        size_t end = 0;
        if (!variable)
            end = block_end_at(lexer, lexer->at, "%}");
        else if (has_at(lexer, lexer->at, "-}}"))
            end = skip_space(lexer, lexer->at + 3);
        else if (has_at(lexer, lexer->at, "}}"))
            end = lexer->at + 2;
        if (end) {
            *ret = token_at(lexer, variable ? TOKEN_VARIABLE_END : TOKEN_BLOCK_END, lexer->at, end);
            lexer->at = end;
            lexer->state = LEXER_ROOT;
            note_line_start(lexer);
            return OK;
        }
    }
    char c = lexer->text.p[lexer->at];
    if (c >= '0' && c <= '9')
        return lex_number(lexer, ret, err);
    if (c == '\'' || c == '"')
        return lex_string(lexer, ret, err);
    size_t at = lexer->at;
    while (at < lexer->text.size) {
        size_t next = at;
        uint32_t code = jinja_char_next(lexer->text, &next);
        if (code != '_' && !jinja_char_is_word(code))
            break;
        at = next;
    }
    if (at == lexer->at)
        return lex_sign(lexer, ret, err);
    size_t first = lexer->at;
    if (jinja_char_is_numeric(jinja_char_next(lexer->text, &first)) && (c & 0x80))
        return fail_at(lexer, lexer->at, err, "invalid character in identifier");
    *ret = token_at(lexer, TOKEN_NAME, lexer->at, at);
    lexer->at = at;
    return OK;
}

enum status jinja_lexer_next(struct jinja_lexer *lexer, struct jinja_token *ret, struct error *err)
{
    for (;;) {
        bool made = true;
        enum status status;
        if (lexer->pending) {
            status = lex_pending(lexer, ret, &made, err);
        } else {
            if (lexer->state != LEXER_ROOT)
                lexer->at = skip_space(lexer, lexer->at);
            if (lexer->at >= lexer->text.size) {
                *ret = token_at(lexer, TOKEN_END, lexer->text.size, lexer->text.size);
                return OK;
            }
            status = OK;
            if (lexer->state == LEXER_ROOT)
                made = lex_root(lexer, ret);
            else
                status = lex_tag(lexer, ret, err);
        }
        if (status || made)
            return status;
    }
}

static bool read_hex(struct slice raw, size_t *at, size_t digits, uint32_t *ret)
{
    uint32_t value = 0;
    for (size_t i = 0; i < digits; i++, (*at)++) {
        char c = *at < raw.size ? raw.p[*at] : '\0';
        if (c >= '0' && c <= '9')
            value = value * 16 + (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value = value * 16 + (uint32_t)((c | 32) - 'a' + 10);
        else
            return false;
    }
    *ret = value;
    return true;
}

/* `{NAME}` behind \\N. */
static bool unescape_name(
    struct slice raw, size_t *at, struct strbuf *out, const char **ret_message)
{
    const char *end = memchr(raw.p + *at, '}', raw.size - *at);
    uint32_t code;
    *ret_message = "a malformed \\N{…} escape in a string";
    if (!end || raw.p[*at] != '{')
        return false;
    size_t start = *at + 1, stop = (size_t)(end - raw.p);
    *ret_message = "no character of that name is known to \\N{…}: write \\u and the code point";
    if (!jinja_char_by_name(slice_make(raw.p + start, stop - start), &code))
        return false;
    *at = stop + 1;
    strbuf_add_utf8(out, code);
    return true;
}

/* The escape behind the backslash at raw[*at - 1]. */
static bool unescape_one(struct slice raw, size_t *at, struct strbuf *out, const char **ret_message)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    char c = raw.p[(*at)++];
    const char *simple = c ? strchr(from, c) : NULL;
    if (simple) {
        strbuf_add_char(out, to[simple - from]);
        return true;
    }
    if (c == '\n')
        return true;
    uint32_t code = 0;
    if (c >= '0' && c <= '7') {
        code = (uint32_t)(c - '0');
        for (int i = 0; i < 2 && *at < raw.size && raw.p[*at] >= '0' && raw.p[*at] <= '7'; i++)
            code = code * 8 + (uint32_t)(raw.p[(*at)++] - '0');
        strbuf_add_utf8(out, code);
        return true;
    }
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits) {
        *ret_message = "a truncated \\x, \\u or \\U escape in a string";
        if (!read_hex(raw, at, digits, &code))
            return false;
        *ret_message = "an escape in a string names no Unicode character";
        if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return false;
        strbuf_add_utf8(out, code);
        return true;
    }
    if (c == 'N')
        return unescape_name(raw, at, out, ret_message);
    strbuf_add_char(out, '\\');
    strbuf_add_char(out, c);
    return true;
}

bool jinja_unescape(
    struct arena *arena, struct slice raw, struct slice *ret, const char **ret_message)
{
    if (!memchr(raw.p, '\\', raw.size)) {
        *ret = raw;
        return true;
    }
    struct strbuf out = {0};
    bool ok = true;
    for (size_t at = 0; ok && at < raw.size;) {
        if (raw.p[at] != '\\') {
            strbuf_add_char(&out, raw.p[at++]);
            continue;
        }
        at++;
        ok = at < raw.size && unescape_one(raw, &at, &out, ret_message);
    }
    if (ok)
        *ret = slice_make(strbuf_to_arena(&out, arena), out.size);
    strbuf_done(&out);
    return ok;
}
