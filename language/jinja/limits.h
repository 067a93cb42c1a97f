/*
 * Ceilings of the template language.  Those that a caller may change are the defaults of
 * `struct jinja_limits`; above each is an error with its own code.
 */
#ifndef LANGUAGE_JINJA_LIMITS_H
#define LANGUAGE_JINJA_LIMITS_H

enum {
    /* bytes of one template's source: SQL files are kilobytes; positions are 32-bit */
    JINJA_SOURCE_MAX = 16 * 1024 * 1024,
    /* bytes of rendered text: a statement of this size is already more than a server wants */
    JINJA_OUTPUT_MAX = 64 * 1024 * 1024,
    /* bytes of values made while rendering: what `x * 1000000` and growing lists may take */
    JINJA_MEMORY_MAX = 256 * 1024 * 1024,
    /* nested macro calls, includes, imports, blocks and recursive loops: each uses C stack */
    JINJA_DEPTH_MAX = 200,
    /* nesting of expressions and statements in a source, and of values in each other: recursion
       of the parser and of text, equality and JSON of values */
    JINJA_NESTING_MAX = 100,
    /* rounds of all loops of a rendering together */
    JINJA_LOOPS_MAX = 10 * 1000 * 1000,
    /* evaluated nodes of a rendering: some seconds of work */
    JINJA_STEPS_MAX = 100 * 1000 * 1000,
    /* milliseconds a rendering may take: it holds a worker thread */
    JINJA_DURATION_MAX_MS = 30 * 1000,
    /* arguments of one call: they are kept on the C stack */
    JINJA_ARGUMENTS_MAX = 64,
    /* templates that one rendering may meet: their indices in the source map are 16-bit */
    JINJA_TEMPLATES_MAX = 10 * 1000,
};

#endif
