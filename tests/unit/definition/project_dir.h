/* A project in a temporary folder, for tests that read files. */
#ifndef PROJECT_DIR_H
#define PROJECT_DIR_H

#include "definition/dagfile.h"
#include "definition/project.h"
#include "tests/unit/test.h"

struct project_dir {
    struct arena *arena;
    char *path;
    struct project *project; /* of the files so far; dir_project loads it anew */
    struct diagnostics *diagnostics;
    struct error error;
};

struct project_dir dir_new(void);
void dir_done(struct project_dir *dir);
void dir_write(struct project_dir *dir, const char *path, const char *text);
void dir_remove(struct project_dir *dir, const char *path);
/* Loads the project; without dag.yaml a bare one. */
const struct project *dir_project(struct project_dir *dir);
/* Writes dags/x.yaml and loads it; NULL when it has mistakes, which are in dir->diagnostics. */
struct dag *dir_load(struct project_dir *dir, const char *text);
/* "3:5 unknown-key: message; hint" of the i-th diagnostic, "" when there is none. */
const char *dir_finding(struct project_dir *dir, size_t i);
/* All of them, a line each. */
const char *dir_findings(struct project_dir *dir);

#endif
