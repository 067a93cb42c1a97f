/*
 * Texts that must not appear in what is stored or shown, and their masking.
 *
 * What templates make of secrets is masked by the source map (jinja_masked_text), which knows every
 * byte; this is for texts of others that may repeat a secret: messages, output of processes.
 */
#ifndef BASE_SECRETS_H
#define BASE_SECRETS_H

#include "base/error.h"
#include "base/string.h"
#include "base/vec.h"

/* Bytes; shorter ones are not masked: "a" would blank every word. */
enum { SECRET_SIZE_MIN = 4 };

struct secrets {
    VEC(char *) texts;
};

/* Keeps a copy, and its form within JSON; what is too short or known already is passed over. */
void secrets_add(struct secrets *secrets, struct slice text);
void secrets_done(struct secrets *secrets);
/* Appends `text` with each secret in it replaced by "***". */
void secrets_mask(const struct secrets *secrets, struct slice text, struct strbuf *out);
/* The same in all texts of an error; NULL is fine. */
void secrets_mask_error(const struct secrets *secrets, struct error *err);

#endif
