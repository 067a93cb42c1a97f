#include "base/shell.h"

static bool is_plain_word(const char *word)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:+,/=@%";
    return *word && word[strspn(word, plain)] == '\0';
}

void strbuf_add_shell_word(struct strbuf *out, const char *word)
{
    if (is_plain_word(word)) {
        strbuf_add_str(out, word);
        return;
    }
    strbuf_add_char(out, '\'');
    for (const char *p = word; *p; p++) {
        if (*p == '\'')
            strbuf_add_str(out, "'\\''");
        else
            strbuf_add_char(out, *p);
    }
    strbuf_add_char(out, '\'');
}

void strbuf_add_shell_words(struct strbuf *out, const char *const *words)
{
    for (const char *const *word = words; *word; word++) {
        if (word != words)
            strbuf_add_char(out, ' ');
        strbuf_add_shell_word(out, *word);
    }
}
