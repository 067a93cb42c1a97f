#include <assert.h>
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read and written again must read as the same tree; what is not must say where. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    CLEANUP(json_decrefp) json_t *tree = NULL;
    if (json_parse((const char *)data, size, NULL, &tree, &err) != OK) {
        assert(err.message[0] && err.place.line > 0 && err.place.column > 0);
        return 0;
    }
    CLEANUP(strbuf_done) struct strbuf text = {0};
    struct json_writer writer = json_begin(&text);
    json_tree(&writer, tree);
    CLEANUP(json_decrefp) json_t *again = NULL;
    enum status status = json_parse(text.text, text.size, NULL, &again, &err);
    assert(status == OK && json_equal(tree, again));
    return 0;
}
