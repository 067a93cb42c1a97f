/*
 * The ceilings of executor/.  Times are in milliseconds, sizes in bytes.
 */
#ifndef EXECUTOR_LIMITS_H
#define EXECUTOR_LIMITS_H

enum {
    /* Bytes of one attempt's log.  A verbose MADlib call prints megabytes; a page must still show
       it. */
    ATTEMPT_LOG_MAX = 16 * 1024 * 1024,
    /* Bytes of one line of a log; a longer one is cut and says so. */
    ATTEMPT_LOG_LINE_MAX = 16 * 1024,
    /* Bytes buffered before they are written at once. */
    ATTEMPT_LOG_BUFFER = 32 * 1024,

    /* Bytes of an XCom as JSON.  It is a row of the metadata, read by every template that pulls it.
     */
    XCOM_MAX = 1024 * 1024,
    /* Bytes of an attempt's detail (JSON): a thousand statements' lines with room. */
    ATTEMPT_DETAIL_MAX = 512 * 1024,
    /* Statements of one task whose row counts and timings are kept in the detail; all are logged.
     */
    ATTEMPT_STATEMENTS_KEPT = 1000,
    /* Tables that an attempt touched and that its detail names. */
    ATTEMPT_TOUCHED_KEPT = 500,
    /* Bytes of an error message from a server or a process that is stored. */
    ATTEMPT_MESSAGE_MAX = 64 * 1024,

    /* Rows of a query that a branch chooses by: an id each, and a DAG has not more tasks. */
    BRANCH_ROWS_MAX = 20 * 1000,
    /* Rows that come after the one that is asked for: then the rest is called off.  Below, reading
       them is cheaper than the session, which is not used again after a cancel. */
    QUERY_ROWS_IGNORED_MAX = 1000,

    /* Threads that connect at once, over all connections.  Each blocks in name resolution or TLS.
     */
    CONNECT_THREADS_MAX = 16,
    /* Threads that cancel, terminate and void at once.  Apart, so that hanging connects cannot keep
       a cancel waiting. */
    ADMIN_THREADS_MAX = 16,
    /* Threads on which sensors look for files: a file system that hangs holds up only those. */
    LOOK_THREADS_MAX = 4,
    /* From the wish for a session to its being there, several hosts and TLS included. */
    CONNECT_DEADLINE_MS = 30 * 1000,
    /* libpq's own bound per address, in seconds; below the deadline so that two addresses fit. */
    CONNECT_TIMEOUT_S = 10,
    /* A server that starts, or recovers from a crashed backend, says 57P03: tried again for this
       long. */
    CONNECT_STARTING_WAIT_MS = 10 * 1000,
    /* Between two tries while a server starts. */
    CONNECT_STARTING_PAUSE_MS = 200,

    /* Comparing metadata and ledger: tasks that are held at a time (the runs of a window have so
       many, or one run more), and rows of a ledger about them. */
    RECONCILE_TASKS_MAX = 10 * 1000,
    LEDGER_ROWS_MAX = 500 * 1000,

    /* Bytes of a migration's file. */
    MIGRATION_SIZE_MAX = 8 * 1024 * 1024,

    /* Idle sessions of a connection are closed after this: they are backends on every segment. */
    SESSION_IDLE_MS = 60 * 1000,
    /* Fresh sessions kept ahead of need, per connection: what is running now, at most this many. */
    SESSION_SPARE_MAX = 4,
    /* Rows of one connection handled in one turn of the loop before others get theirs. */
    SESSION_ROWS_PER_TURN = 2000,
    /* Notices of one statement that go to the log; the rest is counted. */
    SESSION_NOTICES_MAX = 10000,

    /* Versions of models that are read at once, the newest; of each model when all are; those that
       one is looked for among; and points of one's curves. */
    MODEL_VERSIONS_MAX = 1000,
    MODEL_NEWEST_MAX = 20,
    MODEL_VERSIONS_SEARCHED = 100 * 1000,
    MODEL_POINTS_MAX = 4000,
    /* Milliseconds that a command's query of the registry may take. */
    REGISTRY_QUERY_MS = 60 * 1000,
    /* Milliseconds that a promotion waits for a training that holds the registry. */
    REGISTRY_LOCK_WAIT_MS = 10 * 1000,

    /* Of endpoints: threads that connect and that cancel, apart from the tasks' ones. */
    SERVING_CONNECTS_MAX = 4,
    SERVING_CANCELS_MAX = 4,
    /* A session of an endpoint that rested for this long is closed: it may hold a loaded model. */
    SERVING_IDLE_MS = 10 * 60 * 1000,
    /* Beyond the endpoint's timeout, so that the server's own, which is the sooner one, leaves the
       session usable. */
    SERVING_LATE_MS = 250,
    /* Bytes of an answer's rows: they are made on the loop and held in memory. */
    SERVING_ANSWER_MAX = 4 * 1024 * 1024,
    /* Answers of one endpoint that are kept to be given again, and their bytes. */
    SERVING_KEPT_MAX = 1000,
    SERVING_KEPT_BYTES_MAX = 8 * 1024 * 1024,

    /* Bytes of a COPY's file that are in memory: read and being sent, or received and being
       written.  A row larger than that is held whole, as libpq gives it. */
    COPY_CHUNK = 256 * 1024,
    /* Threads that read and write such files, and those only: a file system that hangs holds up
       nothing else. */
    COPY_THREADS_MAX = 4,

    /* A claim that waits for this long is shown, and the attempt it waits for is looked for. */
    CLAIM_WAIT_SHOWN_MS = 250,
    /* Between two looks while a claim waits, doubling up to the second. */
    CLAIM_WAIT_PAUSE_MS = 1000,
    CLAIM_WAIT_PAUSE_MAX_MS = 30 * 1000,

    /* From PQcancel to pg_terminate_backend. */
    CANCEL_GRACE_MS = 5 * 1000,
    /* One round of terminating and looking whether the backend is gone; then it is told and
       repeated. */
    CONFIRM_ROUND_MS = 10 * 1000,
    /* Between two looks within a round. */
    CONFIRM_PAUSE_MS = 50,
    /* A void that could not be inserted by then is answered VOID_UNREACHABLE. */
    EXECUTOR_VOID_DEADLINE_MS = 60 * 1000,
    /* A void whose server cannot be reached for this long is answered so: the scheduler asks again,
       later each time, and no thread is held meanwhile. */
    EXECUTOR_VOID_AWAY_MS = 3 * 1000,
    /* How long executor_recover tries to reach the database. */
    EXECUTOR_RECOVER_DEADLINE_MS = 120 * 1000,
    /* Between two tries of the above. */
    EXECUTOR_RETRY_PAUSE_MS = 1000,
    /* It doubles up to this: a server that is down for long is not asked every second, and one that
       is back is found within seconds. */
    EXECUTOR_RETRY_PAUSE_MAX_MS = 8 * 1000,

    /* From the wish for an HTTP connection to its being there, name and TLS included. */
    HTTP_CONNECT_MS = 30 * 1000,
    /* A whole HTTP request without `execution_timeout`; a look of a sensor. */
    HTTP_REQUEST_MS = 10 * 60 * 1000,
    HTTP_LOOK_MS = 60 * 1000,
    /* Bytes of an answer over HTTP: it is held in memory and read as JSON on the loop.  More than
       that is the business of a process. */
    HTTP_ANSWER_MAX = 4 * 1024 * 1024,
    /* Bytes of an answer that go to the log, and to the message of one that is not expected. */
    HTTP_ANSWER_LOGGED = 4 * 1024,
    HTTP_ANSWER_TOLD = 800,
    /* Addresses that a request is sent on to, one after the other. */
    HTTP_REDIRECTS_MAX = 10,

    /* From SIGTERM to SIGKILL of a supervisor's child is the task's kill_grace; this comes on top
       before the daemon kills the group itself. */
    PROCESS_SUPERVISOR_GRACE_MS = 10 * 1000,
    /* Bytes of one environment or argument list: below the kernel's own limit. */
    PROCESS_ARGUMENTS_MAX = 1024 * 1024,
};

#endif
