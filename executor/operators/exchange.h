/*
 * A request over HTTP for an attempt: what tasks send and sensors ask.
 *
 * It is made of the attempt's rendered fields, and told in its log with how the answer begins;
 * values of headers whose names say so (Authorization, X-Api-Key …) and a password in the address
 * are kept out of it.
 */
#ifndef EXECUTOR_OPERATORS_EXCHANGE_H
#define EXECUTOR_OPERATORS_EXCHANGE_H

#include "executor/attempt.h"

struct exchange;

/* What became of it.  Texts are in the attempt's arena. */
struct exchange_end {
    bool as_expected; /* an answer whose status is one of `expect` */
    /* Otherwise, unless there is another answer (status 0): */
    enum error_class class;
    struct error err;
    int status;
    int64_t retry_after_us;
    /* Of an answer. */
    struct slice body;
    const char *content_type;
    const char *detail; /* for the attempt's result */
};

struct exchange_options {
    const struct http_task *http;
    bool once; /* it acts: an Idempotency-Key goes with it, the same for a generation's attempts */
    uint64_t timeout_ms;
    void (*done)(struct attempt *attempt, const struct exchange_end *end);
};

/* Sends it; `done` is not called from within.  NULL: it could not be sent, and the attempt has
   ended. */
struct exchange *exchange_start(struct attempt *attempt, const struct exchange_options *options);
/* Breaks it off.  NULL is fine. */
void exchange_free(struct exchange *request);

/* What a JSON pointer leads to in the answer; with an error that says what the answer is. */
enum status exchange_result(const struct exchange_end *end, const char *pointer, json_t **ret_tree,
    const json_t **ret, struct error *err) MUST_CHECK;

/* The key that a generation's attempts share: a hash of what names it in the ledger. */
void exchange_key(const struct attempt *attempt, char ret[HASH_TEXT_SIZE]);

#endif
