#include "daemon/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/vec.h"
#include "daemon/limits.h"

struct client {
    struct server *server;
    uv_pipe_t pipe;
    struct strbuf in;
    char user_name[64];
    size_t calls; /* not answered yet: they keep the client's memory */
    bool closed;
};

struct server_call {
    struct client *client;
};

struct server {
    uv_pipe_t pipe;
    char *path;
    server_handler *handler;
    void *user;
    VEC(struct client *) clients;
    bool closed;
};

static void server_release(struct server *server)
{
    if (!server->closed || server->clients.count)
        return;
    vec_done(&server->clients);
    mem_free(server->path);
    mem_free(server);
}

static void client_release(struct client *client)
{
    if (!client->closed || client->calls)
        return;
    struct server *server = client->server;
    for (size_t i = 0; i < server->clients.count; i++) {
        if (server->clients.at[i] == client) {
            vec_remove(&server->clients, i);
            break;
        }
    }
    strbuf_done(&client->in);
    mem_free(client);
    server_release(server);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    client->closed = true;
    client_release(client);
}

static void client_hang_up(struct client *client)
{
    if (!uv_is_closing((uv_handle_t *)&client->pipe))
        uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

/* ---- answers --------------------------------------------------------------------------------- */

struct answer {
    uv_write_t write;
    char *text;
};

static void on_written(uv_write_t *write, int status)
{
    struct answer *answer = CONTAINER_OF(write, struct answer, write);
    struct client *client = write->data;
    if (status < 0)
        client_hang_up(client);
    mem_free(answer->text);
    mem_free(answer);
}

static void client_send(struct client *client, const char *json)
{
    if (uv_is_closing((uv_handle_t *)&client->pipe))
        return;
    struct answer *answer = mem_alloc_zero(1, sizeof(*answer));
    struct strbuf text = {0};
    strbuf_printf(&text, "%s\n", json);
    uv_buf_t buffer = {.len = text.size};
    answer->text = strbuf_take(&text);
    buffer.base = answer->text;
    answer->write.data = client;
    if (uv_write(&answer->write, (uv_stream_t *)&client->pipe, &buffer, 1, on_written) < 0) {
        mem_free(answer->text);
        mem_free(answer);
        client_hang_up(client);
    }
}

void server_answer(struct server_call *call, const char *json)
{
    struct client *client = call->client;
    mem_free(call);
    client_send(client, json);
    client->calls--;
    client_release(client);
}

void server_answer_error(struct server_call *call, const struct error *err)
{
    struct strbuf text = {0};
    struct json_writer w = json_begin(&text);
    json_object_begin(&w);
    json_kv_str(&w, "error", status_info(err->status)->name);
    json_kv_str(&w, "message", err->message);
    json_kv_str(&w, "hint", err->hint);
    json_object_end(&w);
    server_answer(call, strbuf_text(&text));
    strbuf_done(&text);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void handle_line(struct client *client, const char *line, size_t size)
{
    struct server_call *call = mem_alloc(sizeof(*call));
    call->client = client;
    client->calls++;
    json_t *tree = NULL;
    struct error err;
    if (json_parse(line, size, NULL, &tree, &err) != OK)
        server_answer_error(call, &err);
    else
        client->server->handler(client->server->user, call, tree, client->user_name);
    json_decref(tree);
}

static void handle_lines(struct client *client)
{
    client->calls++; /* keeps the client through the handlers */
    char *end;
    while (client->in.size && (end = memchr(client->in.text, '\n', client->in.size))) {
        size_t size = (size_t)(end - client->in.text);
        char *line = mem_alloc(size + 1);
        memcpy(line, client->in.text, size);
        line[size] = '\0';
        memmove(client->in.text, end + 1, client->in.size - size - 1);
        client->in.size -= size + 1;
        handle_line(client, line, size);
        mem_free(line);
    }
    client->calls--;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    (void)handle;
    ret->base = mem_alloc(suggested);
    ret->len = suggested;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct client *client = stream->data;
    if (size > 0)
        strbuf_add(&client->in, buffer->base, (size_t)size);
    mem_free(buffer->base);
    if (size < 0 || client->in.size > DAEMON_REQUEST_SIZE_MAX) {
        client_hang_up(client);
        return;
    }
    handle_lines(client);
}

/* ---- connections ----------------------------------------------------------------------------- */

/* The peer must be the same user, or root. */
static bool know_peer(struct client *client)
{
    uv_os_fd_t fd;
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (uv_fileno((uv_handle_t *)&client->pipe, &fd) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return false;
    process_user_name(peer.uid, client->user_name);
    return peer.uid == geteuid() || peer.uid == 0;
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct server *server = stream->data;
    if (status < 0)
        return;
    struct client *client = mem_alloc_zero(1, sizeof(*client));
    client->server = server;
    uv_pipe_init(stream->loop, &client->pipe, 0);
    client->pipe.data = client;
    vec_push(&server->clients, client);
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) < 0 ||
        server->clients.count > DAEMON_CLIENTS_MAX || !know_peer(client) ||
        uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) < 0)
        client_hang_up(client);
}

static void on_server_closed(uv_handle_t *handle)
{
    struct server *server = handle->data;
    server->closed = true;
    server_release(server);
}

enum status server_open(uv_loop_t *loop, const char *state, server_handler *handler, void *user,
    struct server **ret, struct error *err)
{
    struct strbuf path = {0};
    strbuf_printf(&path, "%s/socket", state);
    if (path.size >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        error_set(
            err, ERR_INVALID, "the state directory's path is too long for a socket: %s", state);
        error_hint(err, "set `state:` in dag.yaml to a shorter path");
        strbuf_done(&path);
        return ERR_INVALID;
    }
    struct server *server = mem_alloc_zero(1, sizeof(*server));
    server->path = strbuf_take(&path);
    server->handler = handler;
    server->user = user;
    uv_pipe_init(loop, &server->pipe, 0);
    server->pipe.data = server;
    unlink(server->path); /* left by a leader that ended; we hold the lock */
    mode_t mask = umask(0177);
    int result = uv_pipe_bind(&server->pipe, server->path);
    umask(mask);
    if (result == 0)
        result = uv_listen((uv_stream_t *)&server->pipe, DAEMON_CLIENTS_MAX, on_connection);
    if (result < 0) {
        error_set(err, ERR_IO, "%s: %s", server->path, uv_strerror(result));
        server_close(server);
        return ERR_IO;
    }
    *ret = server;
    return OK;
}

void server_close(struct server *server)
{
    unlink(server->path);
    uv_close((uv_handle_t *)&server->pipe, on_server_closed);
    for (size_t i = 0; i < server->clients.count; i++)
        client_hang_up(server->clients.at[i]);
}
