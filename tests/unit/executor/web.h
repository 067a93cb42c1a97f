/* The server of tests/http_server.py for tests of this module. */
#ifndef TESTS_WEB_H
#define TESTS_WEB_H

/* Its address ("http://127.0.0.1:4711"); started when it is first asked for, and gone with the
   process. */
const char *web_url(void);

#endif
