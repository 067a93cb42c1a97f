#include "definition/lint_unit.h"

#include "definition/dagfile.h"
#include "definition/lint_internal.h"
#include "definition/report.h"

/* A file that cannot be read is a finding; one that is gone is for the caller to judge. */
static enum status take_trouble(
    struct lint_unit *unit, enum status status, const char *file, struct error *err)
{
    if (status == OK || status == ERR_NOT_FOUND)
        return status;
    if (!unit->found->error_count) {
        error_place(err, file, 0, 0, NULL);
        report_error(unit->found, err);
    }
    unit->broken = true;
    return OK;
}

enum status lint_unit_new(const struct project *project, struct sources *sources, const char *file,
    struct arena *arena, struct lint_unit **ret, struct error *err)
{
    struct lint_unit *unit = arena_new_of(arena, struct lint_unit);
    struct dagfile_options options = {.project = project, .sources = sources};
    struct dagfile dags;
    const struct source *source;
    bool unreadable;
    unit->found = arena_new_of(arena, struct diagnostics);
    diagnostics_init(unit->found, arena);
    sources_begin(sources);
    enum status status = dagfile_load(&options, file, &dags, unit->found, err);
    unit->dags = arena_array(arena, const struct dag_facts *, dags.count);
    for (size_t i = 0; status == OK && i < dags.count; i++) {
        struct dag_facts *facts = NULL;
        status = lint_one(project, sources, dags.dags[i], unit->found, &facts, err);
        unit->passing |= facts->passing;
        unit->dags[unit->dag_count++] = facts;
    }
    dagfile_done(&dags);
    bool read = sources_read(sources, file, &source, NULL) == OK && !source->missing;
    unit->file = arena_strdup(arena, read ? source->shown : file);
    unit->files = kept_files_asked(sources, arena, &unreadable);
    unit->passing |= unreadable;
    *ret = unit;
    return take_trouble(unit, status, unit->file, err);
}

bool lint_unit_holds(const struct lint_unit *unit, struct sources *sources)
{
    for (size_t i = 0; i < unit->files.count; i++) {
        const struct kept_file *file = &unit->files.at[i];
        const struct source *source;
        if (sources_read(sources, file->path, &source, NULL) != OK ||
            !str_equal(file->hash, source->missing ? NULL : source->hash))
            return false;
    }
    return true;
}
