#include "base/seal.h"
#include "tests/unit/test.h"

static struct seal_keys keys_of(const char *text)
{
    struct seal_keys keys = {0};
    struct error err;
    REQUIRE_OK(seal_keys_parse(slice_of(text), "the test", &keys, &err), &err);
    return keys;
}

TEST(what_is_sealed_opens_under_its_name_alone)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct seal_keys keys = {.at = {seal_key_new()}, .count = 1};
    struct error err;
    const char *text = NULL;
    char *sealed = seal_text(&keys, "variables.a", slice_of("geheim"), arena);
    char *again = seal_text(&keys, "variables.a", slice_of("geheim"), arena);
    CHECK(!strstr(sealed, "geheim"));
    CHECK(!str_equal(sealed, again)); /* a nonce of its own each time */
    REQUIRE_OK(seal_open(&keys, "variables.a", sealed, arena, &text, &err), &err);
    CHECK_STR(text, "geheim");
    CHECK_INT(seal_open(&keys, "variables.b", sealed, arena, &text, &err), ERR_KEY);
    CHECK(strstr(err.message, "changed outside dag") != NULL);
    sealed[strlen(sealed) - 6] ^= 1;
    CHECK_INT(seal_open(&keys, "variables.a", sealed, arena, &text, &err), ERR_KEY);
    char *empty = seal_text(&keys, "variables.a", slice_of(""), arena);
    REQUIRE_OK(seal_open(&keys, "variables.a", empty, arena, &text, &err), &err);
    CHECK_STR(text, "");
}

TEST(nonsense_in_place_of_a_sealed_text_is_refused)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct seal_keys keys = {.at = {seal_key_new()}, .count = 1};
    const char *text = NULL;
    struct error err;
    char short_one[64];
    snprintf(short_one, sizeof(short_one), "%s:AAAA", keys.at[0].id);
    const char *const texts[] = {"", "x", ":", short_one, "0123456789abcdef:AAAA"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        CHECK_INT(seal_open(&keys, "n", texts[i], arena, &text, &err), ERR_KEY);
}

TEST(of_several_keys_the_first_seals_and_all_open)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new();
    struct seal_key old = seal_key_new(), new = seal_key_new();
    struct seal_keys before = {.at = {old}, .count = 1};
    struct seal_keys both = {.at = {new, old}, .count = 2};
    struct seal_keys after = {.at = {new}, .count = 1};
    struct error err;
    const char *text = NULL;
    const char *sealed = seal_text(&before, "n", slice_of("geheim"), arena);
    REQUIRE_OK(seal_open(&both, "n", sealed, arena, &text, &err), &err);
    CHECK(!seal_is_newest(&both, sealed));
    CHECK_INT(seal_open(&after, "n", sealed, arena, &text, &err), ERR_KEY);
    CHECK(strstr(err.message, "another key") != NULL);
    sealed = seal_text(&both, "n", slice_of("geheim"), arena);
    CHECK(seal_is_newest(&both, sealed));
    REQUIRE_OK(seal_open(&after, "n", sealed, arena, &text, &err), &err);
}

TEST(keys_are_read_in_the_forms_that_people_have)
{
    char text[SEAL_KEY_TEXT_SIZE], line[256];
    struct seal_key key = seal_key_new();
    seal_key_format(&key, text);
    struct seal_keys keys = keys_of(text);
    CHECK(memcmp(keys.at[0].bytes, key.bytes, sizeof(key.bytes)) == 0);
    static const char hex[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
    snprintf(line, sizeof(line), "%s, %s\n", hex, text);
    keys = keys_of(line);
    CHECK_INT(keys.count, 2);
    CHECK_INT(keys.at[0].bytes[31], 0xff);
    /* as Airflow's Fernet keys are written */
    CHECK_INT(keys_of("cFRbB7hPK0dHUaBQ3SV1cTfz-sjeYnnTmV8-GJM_Dpg=").count, 1);
    CHECK_INT(keys_of("").count, 0);
    struct error err;
    CHECK_INT(seal_keys_parse(slice_of("geheim"), "DAG_KEY", &keys, &err), ERR_KEY);
    CHECK(strstr(err.message, "DAG_KEY") != NULL);
    CHECK(!strstr(err.message, "geheim"));
}
