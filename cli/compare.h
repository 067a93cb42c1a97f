/* What `dag diff` found, for people and programs. */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include "cli/cli.h"

/* `all`: an array of an object a DAG, as cli/compare.c makes them; `a`, `b`: the versions' names.
   With --json a line an object. */
void compare_print(struct cli *cli, const json_t *all, const char *a, const char *b);

#endif
