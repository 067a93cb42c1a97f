#include "executor/target/trouble.h"
#include "tests/unit/test.h"

/* As libpq 15 and PostgreSQL 15 say it; those that a real server can be made to say are tested with
   one (tests/torture/test_connections.py). */
static const struct {
    const char *text, *code;
} cases[] = {
    {"could not translate host name \"nowhere\" to address: Name or service not known",
        "host_name"},
    {"definition of service \"x\" not found", "service"},
    {"service file \"/x\" not found", "service"},
    {"invalid port number: \"x\"", "address"},
    {"invalid sslmode value: \"x\"", "address"},
    {"invalid target_session_attrs value: \"x\"", "address"},
    {"could not match 3 port numbers to 2 hosts", "address"},
    {"connection to server at \"h\" (1.2.3.4), port 5432 failed: FATAL:  no pg_hba.conf entry for "
     "host \"1.2.3.4\", user \"u\", database \"d\", no encryption",
        "tls_needed"},
    {"connection to server at \"h\" (1.2.3.4), port 5432 failed: FATAL:  no pg_hba.conf entry for "
     "host \"1.2.3.4\", user \"u\", database \"d\", SSL encryption",
        "hba"},
    {"FATAL:  pg_hba.conf rejects connection for host \"1.2.3.4\", user \"u\"", "hba"},
    {"server does not support SSL, but SSL was required", "tls_not_offered"},
    {"server certificate for \"a\" does not match host name \"b\"", "tls_host_name"},
    {"SSL error: certificate verify failed", "tls_certificate"},
    {"root certificate file \"/srv/.postgresql/root.crt\" does not exist", "tls_authority"},
    {"FATAL:  connection requires a valid client certificate", "tls_client"},
    {"could not read certificate file \"x\": No such file or directory", "tls_client"},
    {"private key file \"x\" has group or world access", "tls_client"},
    {"SSL error: wrong version number", "tls"},
    {"received invalid response to SSL negotiation: H", "not_postgresql"},
    {"expected authentication request from server, but received H", "not_postgresql"},
    {"fe_sendauth: no password supplied", "password_missing"},
    {"FATAL:  password authentication failed for user \"u\"", "password"},
    {"FATAL:  Peer authentication failed for user \"u\"", "authentication"},
    {"FATAL:  Ident authentication failed for user \"u\"", "authentication"},
    {"FATAL:  role \"u\" does not exist", "role"},
    {"FATAL:  role \"u\" is not permitted to log in", "role"},
    {"FATAL:  database \"d\" does not exist", "database"},
    {"FATAL:  no such database: d", "database"},
    {"FATAL:  permission denied for database \"d\"\nDETAIL:  User does not have CONNECT privilege.",
        "database_privilege"},
    {"FATAL:  database \"template0\" is not currently accepting connections", "database_closed"},
    {"FATAL:  sorry, too many clients already", "too_many"},
    {"FATAL:  too many connections for role \"u\"", "too_many"},
    {"FATAL:  remaining connection slots are reserved for non-replication superuser connections",
        "too_many"},
    {"FATAL:  no more connections allowed (max_client_conn)", "too_many"},
    {"FATAL:  the database system is starting up", "starting"},
    {"session is read-only", "session"},
    {"connection to server at \"h\" (1.2.3.4), port 5432 failed: FATAL:  password authentication "
     "failed for user \"u\"\nconnection to server at \"h\" (1.2.3.4), port 5432 failed: FATAL:  no "
     "pg_hba.conf entry for host \"1.2.3.4\", user \"u\", database \"d\", no encryption",
        "password"},
    {"server is not in hot standby mode", "session"},
    {"FATAL:  unsupported startup parameter: extra_float_digits", "pooler"},
    {"connection to server on socket \"/x/.s.PGSQL.5432\" failed: No such file or directory",
        "socket"},
    {"connection to server at \"h\" (::1), port 1 failed: Connection refused", "refused"},
    {"connection to server at \"h\", port 1 failed: No route to host", "no_route"},
    {"connection to server at \"h\", port 1 failed: timeout expired", "timeout"},
    {"server closed the connection unexpectedly", "closed"},
};

TEST(each_text_has_its_condition)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct trouble *trouble = trouble_find(cases[i].text);
        CHECK_STR(trouble ? trouble->code : cases[i].text, cases[i].code);
    }
    CHECK(trouble_find("FATAL:  Passwort-Authentifizierung fehlgeschlagen") == NULL);
}

TEST(each_row_is_met_and_says_what_to_do)
{
    for (size_t i = 0; i < trouble_count; i++) {
        bool met = false;
        for (size_t k = 0; k < ARRAY_SIZE(cases); k++)
            met |= trouble_find(cases[k].text) == &troubles[i];
        test_check(met, __FILE__, __LINE__, troubles[i].meaning);
        CHECK(troubles[i].meaning[0] && troubles[i].remedy[0]);
    }
}
