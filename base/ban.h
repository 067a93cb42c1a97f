/*
 * Calls that bite.  The build includes this header in front of every file of ours (CMakeLists.txt,
 * `-include`), so that naming one of these functions fails to compile with the reason.
 *
 * They are redeclared as deprecated, which is an error under -Werror: the mark concerns the
 * functions only (a variable or member may be called `time`), catches their addresses too, and is
 * silent inside system headers; `#pragma GCC poison` would break those.  A redeclaration has to
 * come after the system's own, hence the includes.  tests/structure looks at the symbols of the
 * objects for what no header of the system shows here.
 *
 * How to ban a call: add a row; add the same name to tests/structure/symbols.py.
 */
#ifndef BASE_BAN_H
#define BASE_BAN_H

#if defined(__clang__) && !defined(__NO_INLINE__)
/* Makes the system's headers declare, not define: clang takes no attribute after a body. */
#define __NO_INLINE__ 1
#endif

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <time.h>

#define BANNED(why) __attribute__((deprecated(why)))

char *strcpy(char *to, const char *from) BANNED("it overruns: use memcpy, snprintf or strbuf");
char *stpcpy(char *to, const char *from) BANNED("it overruns: use memcpy, snprintf or strbuf");
char *strcat(char *to, const char *from) BANNED("it overruns: use strbuf");
char *strncpy(char *to, const char *from, size_t size)
    BANNED("it may leave the text without its NUL: use snprintf or memcpy");
char *strncat(char *to, const char *from, size_t size) BANNED("its size misleads: use strbuf");
int sprintf(char *to, const char *format, ...) BANNED("it overruns: use snprintf or strbuf");
int vsprintf(char *to, const char *format, va_list args)
    BANNED("it overruns: use vsnprintf or strbuf");
char *strtok(char *text, const char *delimiters) BANNED("it keeps hidden state: use slices");
int atoi(const char *text) BANNED("it hides errors: use parse_int64");
long atol(const char *text) BANNED("it hides errors: use parse_int64");
long long atoll(const char *text) BANNED("it hides errors: use parse_int64");
double atof(const char *text) BANNED("it hides errors: use parse_double");
struct tm *localtime(const time_t *t) BANNED("it shares a buffer: use language/timetable/zone.h");
struct tm *gmtime(const time_t *t) BANNED("it shares a buffer: use civil_from_us");
char *ctime(const time_t *t) BANNED("it shares a buffer: use time_format_iso");
char *asctime(const struct tm *t) BANNED("it shares a buffer: use time_format_iso");
int system(const char *command) BANNED("it starts a shell: use posix_spawn with an argv");
char *tmpnam(char ret[L_tmpnam]) BANNED("it races: use mkostemp");
int setjmp(jmp_buf env) BANNED("return a status");
void longjmp(jmp_buf env, int value) BANNED("return a status");

#ifndef DAG_CLOCK_DOOR
time_t time(time_t *ret) BANNED("use clock_now, and take `now` as an argument");
int clock_gettime(clockid_t clock, struct timespec *ret) BANNED("use clock_now");
int gettimeofday(struct timeval *restrict ret, void *restrict zone) BANNED("use clock_now");
int timespec_get(struct timespec *ret, int base) BANNED("use clock_now");
clock_t clock(void) BANNED("use clock_now");
int rand(void) BANNED("use random_u64");
void srand(unsigned seed) BANNED("use random_u64");
int rand_r(unsigned *seed) BANNED("use random_u64");
long random(void) BANNED("use random_u64");
void srandom(unsigned seed) BANNED("use random_u64");
double drand48(void) BANNED("use random_u64");
long lrand48(void) BANNED("use random_u64");
long mrand48(void) BANNED("use random_u64");
ssize_t getrandom(void *ret, size_t size, unsigned flags) BANNED("use random_bytes");
int getentropy(void *ret, size_t size) BANNED("use random_bytes");
#endif

#endif
