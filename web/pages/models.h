/* What the files of the models' pages share. */
#ifndef WEB_PAGES_MODELS_H
#define WEB_PAGES_MODELS_H

#include "executor/registry.h"
#include "web/page.h"

/* What the database said. */
struct model_facts {
    const struct registry *registry;
    const char *name; /* of the model asked for; NULL: all */
    struct model_versions versions;
    const struct model_version *chosen; /* of one model: the version that is looked at */
    const json_t *evaluation;           /* its points; NULL: not known */
    const char *scored_trouble;         /* why it is not known what was scored; NULL: it is */
    const char *evaluation_trouble;
};

void show_models(struct page *page, const struct model_facts *facts);
void show_model(struct page *page, const struct model_facts *facts);

/* ---- pictures: models_plots.c ---- */

void show_metrics(struct page *page, const struct model_facts *facts);
/* Curves and confusion matrix of the chosen version. */
void show_evaluation(struct page *page, const struct model_facts *facts);

#endif
