#include "daemon/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/string.h"

void notify_send(const char *assignments)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = path ? strlen(path) : 0;
    if (size == 0 || size >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, size);
    if (path[0] == '@') /* an abstract name */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    (void)!sendto(
        fd, assignments, strlen(assignments), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    close(fd);
}

/* With the time, which may be that of a clock that counts what the machine slept, so that
 * Type=notify-reload can tell the answer to its own signal. */
void notify_reloading(void)
{
    char text[64];
    snprintf(
        text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_now().mono_us);
    notify_send(text);
}

static int64_t number_in(const char *name)
{
    int64_t number = 0;
    const char *text = getenv(name);
    return text && parse_int64(slice_of(text), &number) ? number : 0;
}

int64_t notify_watchdog_us(void)
{
    int64_t pid = number_in("WATCHDOG_PID");
    return pid && pid != getpid() ? 0 : number_in("WATCHDOG_USEC");
}
