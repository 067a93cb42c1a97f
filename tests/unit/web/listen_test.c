#include "web/listen.h"
#include <unistd.h>
#include "tests/unit/test.h"

static enum status parse(const char *text, struct listen_address *ret)
{
    struct error err;
    return listen_parse(text, ret, &err);
}

TEST(loopback_addresses_with_a_port_are_taken)
{
    struct listen_address address;
    REQUIRE(parse("127.0.0.1:8080", &address) == OK);
    CHECK_STR(address.host, "127.0.0.1");
    CHECK_INT(address.port, 8080);
    CHECK(parse("localhost:0", &address) == OK);
    REQUIRE(parse("[::1]:65535", &address) == OK);
    CHECK_STR(address.host, "::1");
    CHECK_INT(address.port, 65535);
}

TEST(other_forms_are_refused)
{
    struct listen_address address;
    static const char *const wrong[] = {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
        "127.0.0.1:-1", "127.0.0.1:http", "[::1]", "[::1:80", ":8080", "[]:80"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        CHECK_INT(parse(wrong[i], &address), ERR_WEB_LISTEN);
}

TEST(addresses_beyond_this_machine_are_refused_with_their_own_error)
{
    struct listen_address address;
    static const char *const open[] = {
        "0.0.0.0:8080", "[::]:8080", "192.168.1.4:80", "example.org:80"};
    for (size_t i = 0; i < ARRAY_SIZE(open); i++)
        CHECK_INT(parse(open[i], &address), ERR_WEB_LISTEN_OPEN);
}

TEST(a_used_port_says_what_to_do)
{
    struct listen_address first, second;
    struct error err;
    int fd = -1, other = -1;
    REQUIRE(parse("127.0.0.1:0", &first) == OK);
    REQUIRE_OK(listen_open(&first, &fd, &err), &err);
    CHECK(first.port != 0);
    second = first;
    CHECK_INT(listen_open(&second, &other, &err), ERR_WEB_LISTEN);
    CHECK(strstr(err.hint, "web: {listen:") != NULL);
    close(fd);
}

TEST(only_names_of_this_machine_may_be_asked_for)
{
    CHECK(listen_host_allowed("127.0.0.1:8080"));
    CHECK(listen_host_allowed("127.0.0.1"));
    CHECK(listen_host_allowed("localhost:9000"));
    CHECK(listen_host_allowed("LOCALHOST"));
    CHECK(listen_host_allowed("[::1]:8080"));
    CHECK(!listen_host_allowed(NULL));
    CHECK(!listen_host_allowed(""));
    CHECK(!listen_host_allowed("evil.example:8080"));
    CHECK(!listen_host_allowed("127.0.0.1.evil.example"));
    CHECK(!listen_host_allowed("localhost.evil.example:8080"));
    CHECK(!listen_host_allowed("10.0.0.1"));
}
