#include "base/secrets.h"
#include "base/memory.h"

static void keep(struct secrets *secrets, struct slice text)
{
    vec_each (known, &secrets->texts)
        if (slice_equal_str(text, *known))
            return;
    char *copy = mem_alloc(text.size + 1);
    memcpy(copy, text.p, text.size);
    copy[text.size] = '\0';
    vec_push(&secrets->texts, copy);
}

/* As it stands within a string of JSON; some writers escape the solidus, too. */
static void keep_escaped(struct secrets *secrets, struct slice text, bool solidus)
{
    static const char plain[] = "\"\\\b\f\n\r\t/", letters[] = "\"\\bfnrt/";
    CLEANUP(strbuf_done) struct strbuf out = {0};
    for (size_t i = 0; i < text.size; i++) {
        char c = text.p[i];
        const char *at = c ? strchr(plain, c) : NULL;
        if (at && (c != '/' || solidus))
            strbuf_printf(&out, "\\%c", letters[at - plain]);
        else if ((unsigned char)c < 0x20)
            strbuf_printf(&out, "\\u%04x", (unsigned)c);
        else
            strbuf_add_char(&out, c);
    }
    keep(secrets, slice_make(strbuf_text(&out), out.size));
}

void secrets_add(struct secrets *secrets, struct slice text)
{
    if (text.size < SECRET_SIZE_MIN)
        return;
    keep(secrets, text);
    keep_escaped(secrets, text, false);
    keep_escaped(secrets, text, true);
}

void secrets_done(struct secrets *secrets)
{
    vec_each (text, &secrets->texts)
        mem_free(*text);
    vec_done(&secrets->texts);
}

/* The size of the longest secret that stands at p, 0 for none. */
static size_t secret_at(const struct secrets *secrets, const char *p, size_t size)
{
    size_t longest = 0;
    for (size_t i = 0; i < secrets->texts.count; i++) {
        size_t length = strlen(secrets->texts.at[i]);
        if (length > longest && length <= size && memcmp(p, secrets->texts.at[i], length) == 0)
            longest = length;
    }
    return longest;
}

void secrets_mask(const struct secrets *secrets, struct slice text, struct strbuf *out)
{
    if (!secrets->texts.count) {
        strbuf_add_slice(out, text);
        return;
    }
    for (size_t i = 0; i < text.size;) {
        size_t secret = secret_at(secrets, text.p + i, text.size - i);
        if (secret)
            strbuf_add_str(out, "***");
        else
            strbuf_add_char(out, text.p[i]);
        i += secret ? secret : 1;
    }
}

/* In place: what is masked is never longer than it was. */
static void mask_buffer(const struct secrets *secrets, char *text)
{
    CLEANUP(strbuf_done) struct strbuf masked = {0};
    secrets_mask(secrets, slice_of(text), &masked);
    memcpy(text, strbuf_text(&masked), masked.size + 1);
}

void secrets_mask_error(const struct secrets *secrets, struct error *err)
{
    if (!err || !secrets->texts.count)
        return;
    mask_buffer(secrets, err->message);
    mask_buffer(secrets, err->hint);
    mask_buffer(secrets, err->excerpt);
    mask_buffer(secrets, err->trace);
}
