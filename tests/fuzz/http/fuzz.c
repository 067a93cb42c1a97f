/* What comes from outside: paths, Host headers, texts that become HTML, lines of logs. */
#include <assert.h>
#include "web/listen.h"
#include "web/pages/pages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    CLEANUP(strbuf_done) struct strbuf out = {0};
    char *text = arena_strndup(arena, (const char *)data, size);
    const struct route *route;
    struct route_values values;
    struct listen_address address;
    struct error err;

    if (route_find(text, arena, &route, &values, &err) == OK)
        assert(text[0] == '/' && route->serve);
    char *decoded = http_decode(arena, slice_make((const char *)data, size));
    assert(!decoded || utf8_valid(decoded, strlen(decoded), NULL));
    if (listen_parse(text, &address, &err) == OK)
        assert(listen_host_allowed(text));

    html_slice(&out, slice_make((const char *)data, size));
    assert(utf8_valid(strbuf_text(&out), out.size, NULL));
    assert(strcspn(strbuf_text(&out), "<>\"'") == out.size);
    strbuf_clear(&out);
    show_log_lines(&out, slice_make((const char *)data, size));
    assert(utf8_valid(strbuf_text(&out), out.size, NULL));
    strbuf_clear(&out);
    url_segment(&out, text);
    decoded = http_decode(arena, slice_make(strbuf_text(&out), out.size));
    assert(!decoded || str_equal(decoded, text));
    assert(decoded || !utf8_valid(text, strlen(text), NULL));
    return 0;
}
