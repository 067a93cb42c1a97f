/* What an error of libcurl means, in the user's words. */
#ifndef EXECUTOR_HTTP_HTTP_ERROR_H
#define EXECUTOR_HTTP_HTTP_ERROR_H

#include <curl/curl.h>

#include "executor/http/client.h"

/* Fills end and err of an answer whose status and url are known.  `trouble`: libcurl's own words,
   may be empty. */
void http_error_explain(CURLcode code, CURL *easy, const char *trouble, struct http_answer *answer);

#endif
