/* What the looks of `dag doctor` share: a line for each thing that was looked at. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/cli.h"

enum verdict { GOOD, WARN, BAD };

struct doctor {
    struct cli *cli;
    size_t bad;
};

/* `remedy` NULL where nothing is to be done.  `more` writes further members of the line's JSON
   object; NULL: there are none. */
void doctor_tell(struct doctor *d, enum verdict verdict, const char *what, const char *found,
    const char *remedy);
void doctor_tell_more(struct doctor *d, enum verdict verdict, const char *what, const char *found,
    const char *remedy, void (*more)(struct json_writer *w, const void *user), const void *user);
/* The same for an error, with its hint or what is to be done about its status. */
void doctor_tell_error(
    struct doctor *d, enum verdict verdict, const char *what, const struct error *err);

/* --reconcile: the metadata against the ledgers of the connections (executor/reconcile.h). */
void doctor_reconcile(struct doctor *d);

#endif
