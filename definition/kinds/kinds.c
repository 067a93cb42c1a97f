/* What kinds share whose keys stand in a mapping of their own, or beside it. */
#include "definition/kinds/kinds.h"
#include "definition/report.h"

bool kind_keys_twice(struct loading *l, const struct kind_keys *of, const struct yaml_node *node,
    const struct yaml_node *own)
{
    bool twice = false;
    for (size_t i = 0; i < of->level->count; i++) {
        const char *name = of->level->keys[i].name;
        bool inside = node->kind == YAML_MAPPING
                          ? yaml_get(node, name) != NULL
                          : str_equal(name, of->main) && node->type != YAML_NULL;
        const struct yaml_node *beside = yaml_get(own, name);
        if (!inside || !beside)
            continue;
        report_hint(report(l->diagnostics, beside, ERR_DUPLICATE,
                        "`%s` is given in `%s` and beside it", name, of->kind),
            "leave one of the two out");
        twice = true;
    }
    return twice;
}

bool kind_keys_read(struct loading *l, const struct kind_keys *of, const struct yaml_node *node,
    void *into, struct text *ret_main)
{
    struct keys_reader reader = {l->arena, l->diagnostics, 0, false};
    size_t errors = l->diagnostics->error_count;
    bool null = node->kind == YAML_SCALAR && node->type == YAML_NULL;
    if (node->kind == YAML_MAPPING)
        keys_read(&reader, of->level, node, into, NULL);
    else if (!null)
        keys_read_value(&reader, level_find(of->level, slice_of(of->main)), node, ret_main);
    return l->diagnostics->error_count == errors;
}
