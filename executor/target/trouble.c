#include "executor/target/trouble.h"

const struct trouble troubles[] = {
    /* the address */
    {"service", {"definition of service", "service file"}, NULL, "its service is not defined",
        "define it in ~/.pg_service.conf, or name the file in PGSERVICEFILE"},
    {"address",
        {"invalid port number", "invalid connection option", "missing \"=\"",
            "invalid integer value", "could not match"},
        NULL, "its address cannot be used", "correct `uri`: postgresql://user@host:5432/database"},
    {"address", {"invalid sslmode", "invalid target_session_attrs", " value: \""}, "invalid",
        "its address cannot be used", "correct the option in `uri` that the message names"},
    {"host_name", {"could not translate host name"}, NULL, "its host name is not known",
        "correct the host in `uri`; `getent hosts NAME` shows what this machine knows"},
    /* encryption */
    {"tls_not_offered", {"server does not support SSL"}, NULL,
        "the server does not encrypt, and sslmode asks for it",
        "switch `ssl` on at the server, or write sslmode=prefer if the network may be trusted"},
    {"tls_host_name", {"does not match host name"}, NULL,
        "the server's certificate is for another host",
        "connect by the name in the certificate (hostaddr= may give the address), or have one made "
        "for this name"},
    {"tls_certificate", {"certificate verify failed", "self-signed certificate"}, NULL,
        "the server's certificate is not signed by an authority that is trusted",
        "name the file of the authority's certificate in sslrootcert"},
    {"tls_authority", {"root certificate file"}, NULL,
        "there is no certificate of an authority to check the server by",
        "put it into ~/.postgresql/root.crt, or name its file in sslrootcert"},
    {"tls_client",
        {"valid client certificate", "certificate file", "private key file", "certificate required",
            "certificate authentication failed"},
        NULL, "our own certificate is missing or is not accepted",
        "name the files in sslcert and sslkey; the key's mode must be 0600"},
    {"not_postgresql",
        {"invalid response to SSL negotiation", "expected authentication request from server",
            "unsupported frontend protocol"},
        NULL, "what answers there is not PostgreSQL", "correct host and port in `uri`"},
    {"tls", {"SSL error", "SSL SYSCALL error", "could not initiate SSL"}, NULL,
        "the encrypted connection could not be made",
        "compare sslmode, ssl_min_protocol_version and certificates of both sides"},
    /* who */
    {"password_missing", {"no password supplied"}, NULL,
        "the server asks for a password, and there is none",
        "write it to ~/.pgpass (mode 0600) or into `uri`; `dag conn set NAME -` stores it sealed"},
    {"password", {"password authentication failed", "SASL authentication failed"}, NULL,
        "the password is wrong, or there is no such role",
        "correct it in `uri` or ~/.pgpass; a server does not tell a wrong password from a role "
        "that does not exist"},
    {"role", {"role \"", "no such user"}, "does not exist", "the role does not exist",
        "correct the user in `uri`, or make the role: CREATE ROLE … LOGIN"},
    {"role", {"is not permitted to log in"}, NULL, "the role may not log in",
        "ALTER ROLE … LOGIN, or use another role"},
    {"authentication", {"authentication failed", "authentication method", "GSSAPI", "SCRAM"}, NULL,
        "the server does not believe who we are",
        "the message names the method: it is chosen by the server's pg_hba.conf"},
    /* where to */
    {"database", {"database \""}, "does not exist", "the database does not exist",
        "correct its name in `uri` (without one it is the role's), or CREATE DATABASE"},
    {"database", {"no such database"}, NULL, "the pooler knows no such database",
        "correct the name in `uri`, or give the address of the server itself"},
    {"database_privilege", {"permission denied for database"}, NULL,
        "the role may not connect to the database", "GRANT CONNECT ON DATABASE … TO …"},
    {"database_closed", {"is not currently accepting connections"}, NULL,
        "the database takes no connections", "ALTER DATABASE … ALLOW_CONNECTIONS true"},
    {"too_many",
        {"too many clients", "too many connections", "remaining connection slots",
            "no more connections allowed"},
        NULL, "the server has no connection left",
        "lower `max_connections` of the connection, or raise the limit at the server, database or "
        "role"},
    {"starting", {"the database system is"}, NULL, "the server is starting, stopping or recovering",
        "wait until it is up, and look into its log"},
    {"session",
        {"session is read-only", "session is not read-only", "server is in hot standby mode",
            "server is not in hot standby mode"},
        NULL, "no server of the list is what target_session_attrs asks for",
        "see which of them is the primary, or ask for another kind of session"},
    /* after the above: with sslmode=prefer libpq tries again without encryption, and says both */
    {"tls_needed", {"no pg_hba.conf entry"}, "no encryption",
        "the server lets nobody in from here without encryption",
        "write sslmode=require, or verify-full, into `uri`; or have a line added to the server's "
        "pg_hba.conf for this host, role and database"},
    {"hba", {"no pg_hba.conf entry", "pg_hba.conf rejects"}, NULL,
        "the server's pg_hba.conf lets nobody in from here with this role and database",
        "have a line added to pg_hba.conf for them, and the server reload it"},
    {"pooler", {"unsupported startup parameter"}, NULL, "a connection pooler refuses the session",
        "give the address of the server itself"},
    /* the way */
    {"socket", {"connection to server on socket"}, "No such file",
        "no server listens on its socket",
        "start the server, or write host=localhost into `uri` to reach it over TCP"},
    {"refused", {"Connection refused"}, NULL, "nothing listens at its address",
        "start the server, or correct host and port in `uri`; for another machine see its "
        "listen_addresses"},
    {"no_route", {"No route to host", "Network is unreachable", "Host is down"}, NULL,
        "there is no way to its host", "see the network, and the address in `uri`"},
    {"timeout", {"timeout expired", "Connection timed out", "no answer within"}, NULL,
        "its host does not answer",
        "see whether a firewall is between, and the address in `uri`; connect_timeout= changes how "
        "long is waited"},
    {"closed", {"closed the connection unexpectedly", "Connection reset by peer", "Broken pipe"},
        NULL, "the connection was closed while it was being made",
        "see the server's log, and whether a proxy or firewall is between"},
};
const size_t trouble_count = ARRAY_SIZE(troubles);

static bool fits(const struct trouble *trouble, const char *text)
{
    if (trouble->and &&!strstr(text, trouble->and))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(trouble->patterns) && trouble->patterns[i]; i++)
        if (strstr(text, trouble->patterns[i]))
            return true;
    return false;
}

const struct trouble *trouble_find(const char *text)
{
    for (size_t i = 0; i < trouble_count; i++)
        if (fits(&troubles[i], text))
            return &troubles[i];
    return NULL;
}
