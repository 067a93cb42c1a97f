/*
 * One attempt under way: what operators work on.
 *
 * Owned by the executor; on the loop's thread, except while `rendering` (then a worker thread fills
 * `rendered`, and nothing else may touch the arena).
 */
#ifndef EXECUTOR_ATTEMPT_H
#define EXECUTOR_ATTEMPT_H

#include "definition/context/context.h"
#include "executor/attempt_log.h"
#include "executor/attempt_memo.h"
#include "executor/executor.h"
#include "executor/handles.h"
#include "executor/http/client.h"
#include "executor/offload.h"
#include "executor/operators/operator.h"
#include "executor/target/target.h"

struct attempt {
    struct executor *ex;
    struct arena *arena;
    struct attempt *next;          /* of the executor's list */
    const struct project *project; /* as it was when the attempt began */
    struct effect effect;    /* a deep copy in the arena; effect.dag is counted, may be NULL when
                                recovering */
    const struct task *task; /* NULL when recovering an attempt of a task that is gone */
    const struct operator* operator;
    struct attempt_memo memo; /* recovering: what was left behind; else what is to be left */
    bool has_memo;
    const char *recovered_task_id; /* recovering: the task, which the DAG may no longer have */

    const char *log_path;    /* relative to the state directory */
    const char *log_file;    /* absolute */
    struct attempt_log *log; /* NULL when it could not be made */

    struct run_facts facts;
    struct rendered_task rendered;
    struct error render_error;
    enum status render_status;

    int64_t started_us;
    bool recovering; /* through executor_recover */
    bool rendering;  /* on a worker thread */
    bool acting;     /* the operator's start or recover was called */
    bool cancelled;  /* executor_cancel was called */
    bool forced;
    bool stopping;   /* ended by executor_stop: INTERRUPTED instead of CANCELLED */
    bool finished;   /* attempt_finish was called */
    enum reason why; /* of the cancel */

    void *own; /* the operator's */
};

/* Of one that was taken over: it is under way.  Told again it changes nothing. */
void attempt_tell_started(struct attempt *attempt);

/*
 * Ends the attempt with what happened.  The result's texts must be in the attempt's arena (or
 * constants); start and end are filled in when they are 0.  Writes how it ended to the log and
 * closes it.  Once.
 */
void attempt_finish(struct attempt *attempt, const struct attempt_result *result);

/* Finishes with an error that is in `err`: its message, hint and excerpt go to the log, message and
   place to the result. */
void attempt_fail(struct attempt *attempt, enum error_class class, const struct error *err);

/* The same with more than the class: what else is known stands in `result`. */
void attempt_fail_with(
    struct attempt *attempt, struct attempt_result result, const struct error *err);

/* The result of an attempt that was ended on request: CANCELLED, or INTERRUPTED by executor_stop.
 */
enum attempt_outcome attempt_cancelled_outcome(const struct attempt *attempt);

/* A line of its log; nothing when it has none. */
void attempt_say(struct attempt *attempt, enum log_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Several lines, as settle.said has them. */
void attempt_say_lines(struct attempt *attempt, enum log_kind kind, struct slice text);

/* What the executor lends to operators. */
struct handles *attempt_handles(struct attempt *attempt);
struct targets *attempt_targets(struct attempt *attempt);
struct offload *attempt_admin(struct attempt *attempt);  /* threads for settle.h */
struct offload *attempt_looks(struct attempt *attempt);  /* threads for what sensors look at */
struct offload *attempt_copies(struct attempt *attempt); /* threads for the files of COPY */
struct http_client *attempt_http(struct attempt *attempt);
/* Asks the metadata, as executor_options.look. */
enum status attempt_ask(struct attempt *attempt, const struct look_question *question,
    enum look_answer *ret, const char **ret_saw, struct error *err) MUST_CHECK;
/* A DAG by its id, as executor_options.dag; NULL when it is not known here. */
const struct dag *attempt_find_dag(struct attempt *attempt, const char *dag_id);
/* Where a file that the task names is written. */
char *attempt_written(struct attempt *attempt, const char *path);
const char *attempt_metadata_id(const struct attempt *attempt);
const char *attempt_supervisor(const struct attempt *attempt);

/* The absolute path of a file beside the log: attempt_file(attempt, ".proc"). */
char *attempt_file(struct attempt *attempt, const char *ending);
/* Leaves `attempt->memo` for a later daemon.  Where that fails the attempt must go no further: what
   it did would not be known. */
enum status attempt_write_memo(struct attempt *attempt, struct error *err) MUST_CHECK;

/* XCom from a text of a process or a template: JSON as it is, anything else as a JSON string. */
char *attempt_xcom_of_text(struct slice text, struct arena *arena);

#endif
