#include "tests/unit/executor/web.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/test.h"

extern char **environ;

/* It serves until its input ends: until no process has the other end of that pipe. */
static FILE *start(void)
{
    static char program[] = DAG_SOURCE_DIR "/tests/http_server.py";
    char *argv[] = {program, NULL};
    int in[2], out[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    REQUIRE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    REQUIRE(posix_spawn(&pid, program, &actions, NULL, argv, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    return fdopen(out[0], "r");
}

const char *web_url(void)
{
    static char url[64];
    if (url[0])
        return url;
    int port = 0;
    FILE *out = start();
    REQUIRE(fscanf(out, "%d", &port) == 1);
    fclose(out);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", port);
    return url;
}
