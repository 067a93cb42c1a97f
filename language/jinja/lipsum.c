/*
 * The global function `lipsum`: filler text.  The same rendering always gives the same text; what
 * was rendered before decides which.
 */
#include "language/jinja/runtime.h"

static const char *const lipsum_words[] = {"alba", "aqua", "arbor", "bella", "caelum", "campus",
    "cantus", "civis", "cum", "dies", "domus", "et", "facit", "flumen", "fortis", "gaudet", "hora",
    "iter", "labor", "lux", "magna", "mare", "mons", "multa", "nomen", "nox", "omnia", "pax", "per",
    "porta", "quies", "regit", "ripa", "rosa", "saepe", "sed", "silva", "sine", "sol", "tandem",
    "tempus", "terra", "umbra", "unda", "urbs", "vallis", "vent", "verba", "via", "vita"};

/* Numbers that look drawn: xorshift. */
static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state % below;
}

static void add_word(uint64_t *state, bool capital, size_t *last, struct strbuf *out)
{
    size_t word = draw(state, ARRAY_SIZE(lipsum_words) - 1);
    /* Never the same word twice. */
    word += word >= *last;
    *last = word;
    size_t start = out->size;
    strbuf_add_str(out, lipsum_words[word]);
    if (capital)
        out->text[start] = (char)(out->text[start] - 'a' + 'A');
}

/* Sentences of six to fourteen words, a comma now and then, a full stop at the end. */
static void add_paragraph(uint64_t *state, uint64_t words, struct strbuf *out)
{
    uint64_t left = 0;
    size_t last = ARRAY_SIZE(lipsum_words);
    for (uint64_t i = 0; i < words; i++) {
        bool begins = left == 0;
        if (begins)
            left = 6 + draw(state, 9);
        add_word(state, begins, &last, out);
        left--;
        if (left == 0 || i + 1 == words)
            strbuf_add_char(out, '.');
        else if (!begins && left > 2 && draw(state, 6) == 0)
            strbuf_add_char(out, ',');
        if (i + 1 < words)
            strbuf_add_char(out, ' ');
    }
    if (words == 0)
        strbuf_add_char(out, '.');
}

enum status jinja_lipsum(const struct jinja_call *call, struct jinja_value *ret, struct error *err)
{
    static const char *const names[] = {"n", "html", "min", "max"};
    struct jinja_value values[4];
    int64_t count, min, max;
    enum status status = jinja_arguments(call, names, 4, 0, values, err);
    if (!status)
        status = jinja_argument_int(call, "n", values[0], 5, &count, err);
    if (!status)
        status = jinja_argument_int(call, "min", values[2], 20, &min, err);
    if (!status)
        status = jinja_argument_int(call, "max", values[3], 100, &max, err);
    if (!status && count > 0 && min >= max)
        status = error_set(err, ERR_TEMPLATE_VALUE,
            "lipsum(): there is no number of words from %lld to below %lld", (long long)min,
            (long long)max);
    bool html = jinja_argument_bool(values[1], true);
    uint64_t state = call->render->steps * UINT64_C(0x9E3779B97F4A7C15) | 1;
    struct strbuf out = {0};
    for (int64_t i = 0; !status && i < count; i++) {
        uint64_t words = (uint64_t)min + draw(&state, (uint64_t)max - (uint64_t)min);
        strbuf_add_str(&out, i == 0 ? "" : html ? "\n" : "\n\n");
        strbuf_add_str(&out, html ? "<p>" : "");
        status = jinja_check_size(call->render, out.size + (min < 0 ? 0 : words * 8), err);
        if (!status)
            add_paragraph(&state, min < 0 ? 0 : words, &out);
        strbuf_add_str(&out, html ? "</p>" : "");
    }
    *ret = jinja_mark(jinja_take_text(call->arena, &out), html ? JINJA_SAFE : 0);
    return status;
}
