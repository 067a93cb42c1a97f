/* Command lines for people to copy. */
#ifndef BASE_SHELL_H
#define BASE_SHELL_H

#include "base/string.h"

/* A word of a command line, in single quotes when a shell would read it as something else. */
void strbuf_add_shell_word(struct strbuf *buf, const char *word);
/* A whole command line; NULL ends the words. */
void strbuf_add_shell_words(struct strbuf *buf, const char *const *words);

#endif
