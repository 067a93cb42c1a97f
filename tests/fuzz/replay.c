/*
 * The main program of each fuzz test: runs LLVMFuzzerTestOneInput (the entry point that libFuzzer
 * knows, too) on every file of the corpus, then on mutations of them.  The mutations follow from a
 * seed, so that a run can be repeated.  When an input brings the program down it is written to
 * fuzz-failure.input in the working folder; put it into the corpus, where it stays as a test.
 *
 *     <program> CORPUS_FOLDER [MUTATIONS [SEED]]
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "base/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

enum {
    INPUT_SIZE_MAX = 64 * 1024, /* bytes */
    MUTATIONS_DEFAULT = 100000,
    MUTATIONS_LONG = 10000000, /* with DAG_LONG=1 */
    EDITS_MAX = 4,             /* per mutation */
};

static struct slice current;

static void save_input(void)
{
    int fd = open("fuzz-failure.input", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd >= 0 && write(fd, current.p, current.size) == (ssize_t)current.size)
        fputs("the input is in fuzz-failure.input\n", stderr);
}

static void on_abort(int signal_number)
{
    save_input();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void run(struct slice input)
{
    /* A copy of exact size: reading behind its end is then seen by the sanitizer. */
    char *copy = mem_alloc(input.size);
    if (input.size)
        memcpy(copy, input.p, input.size);
    current = slice_make(copy, input.size);
    LLVMFuzzerTestOneInput((const uint8_t *)copy, input.size);
    mem_free(copy);
}

static uint64_t next_number(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return hash_u64(state, sizeof *state);
}

struct corpus {
    VEC(struct slice) inputs;
};

/* A piece of any input of the corpus. */
static struct slice piece(const struct corpus *corpus, uint64_t *state)
{
    struct slice from = corpus->inputs.at[next_number(state) % corpus->inputs.count];
    size_t at = next_number(state) % (from.size + 1);
    size_t size = next_number(state) % 16;
    return slice_make(from.p + at, size < from.size - at ? size : from.size - at);
}

/* Replaces up to 8 bytes at a random place: by nothing, by a byte, or by a piece of the corpus. */
static void edit(struct strbuf *text, const struct corpus *corpus, uint64_t *state)
{
    struct strbuf edited = {.limit = INPUT_SIZE_MAX};
    size_t at = next_number(state) % (text->size + 1), rest = text->size - at;
    size_t dropped = next_number(state) % 8 < rest ? next_number(state) % 8 : 0;
    dropped = dropped < rest ? dropped : rest;
    strbuf_add(&edited, text->text, at);
    switch (next_number(state) % 4) {
    case 0: break;
    case 1: strbuf_add_char(&edited, (char)next_number(state)); break;
    default: strbuf_add_slice(&edited, piece(corpus, state));
    }
    strbuf_add(&edited, text->text + at + dropped, rest - dropped);
    strbuf_done(text);
    *text = edited;
}

static void mutate(const struct corpus *corpus, uint64_t *state)
{
    struct slice from = corpus->inputs.at[next_number(state) % corpus->inputs.count];
    struct strbuf text = {.limit = INPUT_SIZE_MAX};
    strbuf_add_slice(&text, from);
    for (uint64_t edits = 1 + next_number(state) % EDITS_MAX; edits; edits--)
        edit(&text, corpus, state);
    run(slice_make(text.text, text.size));
    strbuf_done(&text);
}

static void read_corpus(struct corpus *corpus, const char *folder, struct arena *arena)
{
    struct error err;
    const char **names;
    size_t count;
    enum status status = dir_list(folder, "", arena, &names, &count, &err);
    for (size_t i = 0; i < count && status == OK; i++) {
        struct slice text;
        const char *path = path_join(arena, folder, names[i]);
        status = file_read(path, INPUT_SIZE_MAX, arena, &text, &err);
        if (status == OK)
            vec_push(&corpus->inputs, text);
    }
    if (status == OK && corpus->inputs.count)
        return;
    fprintf(stderr, "%s: %s\n", folder, status == OK ? "there is no corpus" : err.message);
    exit(1);
}

static int64_t number_or(const char *text, int64_t otherwise)
{
    int64_t value;
    return text && parse_int64(slice_of(text), &value) ? value : otherwise;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER [MUTATIONS [SEED]]\n", argv[0]);
        return 2;
    }
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct corpus corpus = {0};
    bool is_long = str_equal(getenv("DAG_LONG"), "1");
    int64_t mutations = is_long ? MUTATIONS_LONG : MUTATIONS_DEFAULT;
    mutations = number_or(argc > 2 ? argv[2] : NULL, mutations);
    uint64_t state = (uint64_t)number_or(argc > 3 ? argv[3] : NULL, 1);
    read_corpus(&corpus, argv[1], arena);
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(save_input);
    for (size_t i = 0; i < corpus.inputs.count; i++)
        run(corpus.inputs.at[i]);
    for (int64_t i = 0; i < mutations; i++)
        mutate(&corpus, &state);
    printf("%zu inputs, %lld mutations\n", corpus.inputs.count, (long long)mutations);
    vec_done(&corpus.inputs);
    return 0;
}
