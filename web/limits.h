/* Ceilings of the status pages. */
#ifndef WEB_LIMITS_H
#define WEB_LIMITS_H

enum {
    HTTP_CONNECTIONS_MAX = 256,         /* open at a time: one page holds two or three */
    HTTP_CONNECTION_MEMORY = 32 * 1024, /* bytes of one connection's request head and buffers */
    HTTP_IDLE_S = 60,                   /* an idle connection is closed then; streams are not */
    HTTP_DISCARD_MAX = 1024 * 1024,     /* bytes of a too large body that are read for its answer */
    HTTP_RETRY_AFTER_S = 1,             /* when one is told to come back */
    HTTP_BACKLOG = 128,                 /* connections that wait to be accepted */
    HTTP_STREAMS_MAX = 64,              /* event streams: each holds a connection and a buffer */
    HTTP_STREAM_PENDING_MAX = 64 * 1024, /* bytes a slow reader may be behind; then it is let go */
    HTTP_STREAM_BLOCK = 4096,            /* bytes handed over at once */

    /* Bytes of a DAG file or template whose line is shown beside an error. */
    SOURCE_SIZE_MAX = 1024 * 1024,
    /* Rows of tables; each has a link to go on, and so a page stays below 100 KB. */
    STRIP_RUNS = 30, /* of the last runs beside a DAG */
    DAGS_SHOWN = 25, /* DAGs of one home page, with their strips */
    BACKFILLS_SHOWN = 20,
    RUNS_SHOWN = 25,        /* runs of one list */
    FAILED_RUNS_READ = 200, /* the newest failed runs, of which the home page shows the last */
    FAILED_RUNS_SHOWN = 8,  /* with their reasons; 3 of one DAG at most */
    FAILED_RUNS_OF_DAG = 3,
    FAILED_TASKS_SHOWN = 3,        /* of one failed run */
    MESSAGE_SHOWN_LINES = 6,       /* lines of a message in a list; its task's page shows more */
    MESSAGE_SHOWN_LINES_MAX = 200, /* lines of a message on its own page; the log has all */
    MESSAGE_SHOWN_SIZE = 8 * 1024, /* bytes of a message; the log has all */
    LIVE_RUNS_SHOWN = 12,
    LIVE_RUNS_LOOKED_AT = 50, /* for tasks that failed already */
    TASKS_AT_WORK_SHOWN = 6,  /* of one run under way */
    REASON_TITLE_SIZE = 120,  /* bytes of a reason in a cell's title; its page has all */
    GRID_CELLS_MAX = 450,     /* cells of a grid: runs are left out before tasks are */
    GRID_RUNS_MIN = 5,
    GRID_TASKS_MAX = 90, /* tasks of one page of a grid */
    TASKS_SHOWN = 200,   /* tasks of one page of a run */
    BROKEN_FILES_SHOWN = 10,
    MISTAKES_OPEN = 3,   /* of one file, unfolded */
    MISTAKES_SHOWN = 20, /* of one file; `dag lint` shows all */
    QUEUE_SHOWN = 200,
    REQUESTS_SHOWN = 50,
    REQUEST_SHOWN_SIZE = 600, /* bytes of what was asked and answered, each */
    TRANSITIONS_SHOWN = 100,
    TRIES_SHOWN = 30,
    STATEMENTS_SHOWN = 50,
    LOG_TAIL_SIZE = 32 * 1024,  /* bytes of a log's end on a page; the whole is a link */
    SQL_SHOWN_SIZE = 32 * 1024, /* bytes of a rendered text on a page; the whole is a link */

    MODELS_TIMEOUT_MS = 3000, /* that a page of models waits for its database */
    MODELS_KEPT_MS = 2000,    /* that its answers are shown again without asking */
    MODELS_WAITING_MAX = 64,  /* pages that wait for one query */
    MODELS_SHOWN = 200,
    MODEL_VERSIONS_SHOWN = 25, /* of one page of a model */
    MODEL_VERSIONS_DRAWN = 60, /* of its metrics, the newest */
    MODEL_CURVES_DRAWN = 40,   /* lines of one plot */
    MODEL_FEATURES_SHOWN_SIZE = 16 * 1024,

    EVENTS_DELAY_MS = 100,       /* changes of that long become one event */
    EVENTS_RETRY_MS = 1000,      /* a browser that lost its stream connects again after it */
    EVENTS_NAMES_MAX = 200,      /* names of one event; more are "everything" */
    EVENTS_HEARTBEAT_MS = 15000, /* a gone peer shows at a write */
};

#endif
