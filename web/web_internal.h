/* What the parts of web/ share: the pages of one daemon. */
#ifndef WEB_WEB_INTERNAL_H
#define WEB_WEB_INTERNAL_H

#include "daemon/daemon.h"
#include "web/events.h"
#include "web/http.h"

struct web {
    struct daemon *daemon;
    uv_loop_t *loop;
    struct http_server *http;
    struct events *events;
    struct serving *serving;      /* NULL: the project has no endpoint and no registry of models */
    struct model_queries *models; /* NULL: it has no registry */
    struct store *reader;         /* NULL until the metadata could be opened */
    char assets[17];              /* changes with what is in assets/: part of their addresses */
};

/* What a POST is answered that went wrong. */
void web_refuse_post(
    struct web *web, struct http_post *post, const char *path, const struct error *why);
/* A reader of the metadata, opened when first asked for. */
enum status web_reader(struct web *web, struct store **ret, struct error *err) MUST_CHECK;

#endif
