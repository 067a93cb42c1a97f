/*
 * A request whose answer may come later: a POST with its body, or a GET that has to ask elsewhere.
 *
 * The connection sleeps until its answer is given.  A peer that hangs up meanwhile is noticed at
 * once, also one that only closes its sending half: no answer is wanted then.
 */
#ifndef WEB_HTTP_POST_H
#define WEB_HTTP_POST_H

#include "web/http.h"

/* The body, valid until the answer; p is NULL when it was larger than allowed. */
struct slice http_post_body(const struct http_post *post);
/* Gives the answer, now or later; takes over what is in it.  The post is not valid afterwards. */
void http_post_answer(struct http_post *post, struct http_answer *answer);
/* `gone` is called once if the peer hangs up or the server closes before the answer; the post is
   not valid then, and not to be answered.  Set it before coming back from the call that got it. */
void http_post_on_gone(struct http_post *post, void (*gone)(void *user), void *user);

#endif
