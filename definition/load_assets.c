/* Assets: their names, and what a schedule asks of them. */
#include "definition/limits.h"
#include "definition/loading.h"
#include "definition/report.h"

bool load_asset_name(struct loading *l, const struct yaml_node *node)
{
    struct slice name = node->kind == YAML_SCALAR ? node->value : slice_of("");
    bool text = node->kind == YAML_SCALAR && node->type == YAML_TEXT;
    bool ok = text && name.size > 0 && slice_trim(name).size == name.size;
    for (size_t i = 0; i < name.size; i++)
        ok &= (unsigned char)name.p[i] >= ' ' && name.p[i] != 0x7F;
    if (!ok)
        report_hint(report(l->diagnostics, node, ERR_BAD_NAME, "%s cannot be the name of an asset",
                        text ? "this" : yaml_describe(node)),
            "write a table's name or an address, such as geolife.speed or s3://bucket/file");
    else if (name.size > ID_LENGTH_MAX)
        report(l->diagnostics, node, ERR_BAD_NAME, "an asset's name has at most %d characters",
            ID_LENGTH_MAX);
    return ok && name.size <= ID_LENGTH_MAX;
}

void load_asset_names(struct loading *l, const struct yaml_node *node, struct names *names)
{
    if (!names->count)
        return;
    const char **once = arena_array(l->arena, const char *, names->count);
    struct names kept = {once, 0};
    for (size_t i = 0; i < names->count; i++) {
        if (!load_asset_name(l, node->kind == YAML_SEQUENCE ? node->items[i] : node))
            return;
        if (!names_have(&kept, names->at[i]))
            once[kept.count++] = names->at[i];
    }
    if (kept.count > ASSETS_MAX)
        report(l->diagnostics, node, ERR_LIMIT, "a task names at most %d assets", ASSETS_MAX);
    *names = kept;
}

/* ---- what a schedule asks ---- */

struct expression {
    struct loading *l;
    VEC(const char *) names;
};

static bool read_expression(
    struct expression *e, const struct yaml_node *node, struct asset_expr *ret);

static bool read_name(struct expression *e, const struct yaml_node *node, struct asset_expr *ret)
{
    if (!load_asset_name(e->l, node))
        return false;
    *ret = (struct asset_expr){.op = ASSET_ONE, .name = arena_strdup(e->l->arena, node->value.p)};
    vec_each (name, &e->names)
        if (str_equal(*name, ret->name))
            return true;
    vec_push(&e->names, ret->name);
    return true;
}

static bool read_list(
    struct expression *e, const struct yaml_node *node, enum asset_op op, struct asset_expr *ret)
{
    if (node->kind != YAML_SEQUENCE || node->count == 0) {
        report_hint(report(e->l->diagnostics, node, ERR_VALUE_TYPE,
                        "`%s` takes a list of assets, this is %s", op == ASSET_ALL ? "all" : "any",
                        node->kind == YAML_SEQUENCE ? "an empty one" : yaml_describe(node)),
            "write {%s: [a, b]}", op == ASSET_ALL ? "all" : "any");
        return false;
    }
    struct asset_expr *items = arena_array(e->l->arena, struct asset_expr, node->count);
    for (size_t i = 0; i < node->count; i++)
        if (!read_expression(e, node->items[i], &items[i]))
            return false;
    *ret = (struct asset_expr){.op = op, .items = items, .count = node->count};
    return true;
}

static bool read_expression(
    struct expression *e, const struct yaml_node *node, struct asset_expr *ret)
{
    if (node->kind == YAML_SCALAR)
        return read_name(e, node, ret);
    if (node->kind == YAML_SEQUENCE)
        return read_list(e, node, ASSET_ALL, ret);
    const struct yaml_pair *pair = node->count == 1 ? &node->pairs[0] : NULL;
    if (pair && slice_equal_str(pair->key->value, "all"))
        return read_list(e, pair->value, ASSET_ALL, ret);
    if (pair && slice_equal_str(pair->key->value, "any"))
        return read_list(e, pair->value, ASSET_ANY, ret);
    report_hint(report(e->l->diagnostics, node, ERR_VALUE_TYPE,
                    "a condition on assets has one key, `all` or `any`"),
        "write {all: [a, b]}, {any: [a, b]}, or one inside the other");
    return false;
}

bool load_assets(struct loading *l, const struct yaml_node *node)
{
    struct expression e = {.l = l};
    struct asset_expr *expr = arena_new_of(l->arena, struct asset_expr);
    bool ok = read_expression(&e, node, expr);
    if (ok && e.names.count > ASSETS_MAX) {
        report(l->diagnostics, node, ERR_LIMIT, "a schedule names at most %d assets", ASSETS_MAX);
        ok = false;
    }
    if (ok) {
        l->dag->assets = expr;
        l->dag->asset_names = (struct names){
            arena_memdup(l->arena, e.names.at, e.names.count * sizeof(*e.names.at)), e.names.count};
    }
    vec_done(&e.names);
    return ok;
}

void asset_describe(const struct asset_expr *expr, bool inner, struct strbuf *out)
{
    if (expr->op == ASSET_ONE) {
        strbuf_add_str(out, expr->name);
        return;
    }
    bool brackets = inner && expr->count > 1;
    strbuf_add_str(out, brackets ? "(" : "");
    for (size_t i = 0; i < expr->count; i++) {
        strbuf_add_str(out, i == 0 ? "" : expr->op == ASSET_ALL ? " and " : " or ");
        asset_describe(&expr->items[i], true, out);
    }
    strbuf_add_str(out, brackets ? ")" : "");
}
