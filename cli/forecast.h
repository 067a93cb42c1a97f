/* `dag simulate` without a DAG: the whole project over a period. */
#ifndef CLI_FORECAST_H
#define CLI_FORECAST_H

#include "cli/cli.h"

/* Plays from one time to another (in the project's zone; a bare end date means its last instant)
   and prints the runs and the use of slots.  `durations_path` NULL: the medians of what is
   recorded.  ERR_USAGE without both times. */
enum status cli_forecast(struct cli *cli, const char *from_text, const char *to_text,
    const char *durations_path, struct error *err) MUST_CHECK;

#endif
