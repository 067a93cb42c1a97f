#include "executor/supervisor/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int log_stamp(char ret[LOG_STAMP_SIZE], int64_t wall_us, const char *kind)
{
    int64_t second = wall_us / 1000000 % 86400;
    return snprintf(ret, LOG_STAMP_SIZE, "%02d:%02d:%02d.%03d %s ", (int)(second / 3600),
        (int)(second / 60 % 60), (int)(second % 60), (int)(wall_us / 1000 % 1000), kind);
}

/* ---- safe text ---- */

size_t log_utf8(const char *p, size_t size)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t length = u[0] < 0x80 ? 1 : u[0] < 0xC2 ? 0 : u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : 4;
    if (length == 0 || length > size || u[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((u[i] & 0xC0) != 0x80)
            return 0;
    bool bad = (u[0] == 0xE0 && u[1] < 0xA0) || (u[0] == 0xED && u[1] > 0x9F) ||
               (u[0] == 0xF0 && u[1] < 0x90) || (u[0] == 0xF4 && u[1] > 0x8F);
    return bad ? 0 : length;
}

/* The length of a colour sequence: ESC [ numbers m. */
static size_t colour(const char *p, size_t size)
{
    size_t i = 2;
    if (size < 3 || p[0] != '\033' || p[1] != '[')
        return 0;
    while (i < size && ((p[i] >= '0' && p[i] <= '9') || p[i] == ';' || p[i] == ':'))
        i++;
    return i < size && p[i] == 'm' ? i + 1 : 0;
}

static bool is_control(const char *p, size_t length)
{
    unsigned char c = (unsigned char)p[0];
    if (length == 1)
        return (c < 0x20 && c != '\t') || c == 0x7F;
    return length == 2 && c == 0xC2 && (unsigned char)p[1] < 0xA0; /* U+0080 to U+009F */
}

size_t log_clean(const char *text, size_t size, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    for (size_t i = 0; i < size;) {
        size_t skip = colour(text + i, size - i);
        size_t length = log_utf8(text + i, size - i);
        if (skip) {
            i += skip;
        } else if (length && !is_control(text + i, length)) {
            memcpy(ret + used, text + i, length);
            used += length;
            i += length;
        } else {
            unsigned char c = (unsigned char)text[i++];
            ret[used++] = '\\';
            ret[used++] = 'x';
            ret[used++] = digits[c >> 4];
            ret[used++] = digits[c & 15];
        }
    }
    return used;
}

/* ---- the middle ---- */

static const char left_out_words[] = "error left out here: ";
enum { STAMP_TIME_SIZE = 13 }; /* "HH:MM:SS.mmm " */

long long log_left_out(const char *line, size_t size)
{
    long long count = 0;
    size_t at = STAMP_TIME_SIZE + sizeof(left_out_words) - 1;
    if (size <= at ||
        memcmp(line + STAMP_TIME_SIZE, left_out_words, sizeof(left_out_words) - 1) != 0)
        return -1;
    for (; at < size && line[at] >= '0' && line[at] <= '9'; at++)
        count = count * 10 + line[at] - '0';
    return count;
}

static long long read_at(int fd, char *to, long long size, long long from)
{
    long long done = 0;
    while (done < size) {
        ssize_t n = pread(fd, to + done, (size_t)(size - done), (off_t)(from + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += n;
    }
    return done;
}

static bool write_at(int fd, const char *text, long long size, long long at)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, text, (size_t)size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        at += n;
        size -= n;
    }
    return true;
}

/* Where the line begins that `at` is in. */
static long long line_start_before(const char *text, long long at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

static long long line_start_after(const char *text, long long at, long long size)
{
    const char *end = memchr(text + at, '\n', (size_t)(size - at));
    return end ? end - text + 1 : at;
}

/* `text` is the whole file.  In place, so that who has it open goes on; what is torn by a crash of
   the machine meanwhile is a log's middle. */
static long long cut(int fd, char *text, long long size, long long max, int64_t wall_us)
{
    char mark[LOG_STAMP_SIZE + 160];
    long long head = line_start_before(text, max / 4);
    long long last = head ? line_start_before(text, head - 1) : 0;
    if (log_left_out(text + last, (size_t)(size - last)) >= 0)
        head = last; /* the mark of the last time, which is shorter than what stood there */
    long long tail = line_start_after(text, size - max / 2, size);
    long long before = log_left_out(text + head, (size_t)(size - head));
    long long left_out = tail - head;
    if (before >= 0) /* the mark of the last time goes too */
        left_out += before - (line_start_after(text, head, size) - head);
    int length = log_stamp(mark, wall_us, "error");
    length += snprintf(mark + length, sizeof(mark) - (size_t)length,
        "left out here: %013lld bytes; a log has a ceiling of %lld MiB and keeps how it began and "
        "how it ended\n",
        left_out, max / 1024 / 1024);
    if (!write_at(fd, mark, length, head) || !write_at(fd, text + tail, size - tail, head + length))
        return -1;
    long long now = head + length + size - tail;
    return ftruncate(fd, (off_t)now) == 0 ? now : -1;
}

static void make_room(struct log_file *file, int64_t wall_us)
{
    struct stat st;
    int fd = open(file->path, O_RDWR | O_CLOEXEC); /* not for appending */
    char *text = NULL;
    long long now = -1;
    if (fd >= 0 && fstat(fd, &st) == 0)
        text = malloc((size_t)st.st_size + 1);
    if (text) {
        long long size = read_at(fd, text, st.st_size, 0);
        now = cut(fd, text, size, file->max, wall_us);
    }
    if (now >= 0)
        file->size = now;
    free(text);
    if (fd >= 0)
        close(fd);
}

/* ---- writing ---- */

static bool open_it(struct log_file *file)
{
    struct stat st;
    if (!file->path)
        return false;
    file->fd = open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file->fd < 0) {
        file->trouble = file->trouble ? file->trouble : errno;
        return false;
    }
    file->size = fstat(file->fd, &st) == 0 ? (long long)st.st_size : 0;
    return true;
}

bool log_file_open(struct log_file *file, const char *path, long long max)
{
    *file = (struct log_file){.fd = -1, .path = strdup(path), .max = max};
    return open_it(file);
}

/* False when not all of it is written. */
static bool append(struct log_file *file, const char *text, size_t size)
{
    while (size) {
        ssize_t n = write(file->fd, text, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            file->trouble = file->trouble ? file->trouble : n < 0 ? errno : EIO;
            file->lost += (long long)size;
            return false;
        }
        text += n;
        size -= (size_t)n;
        file->size += n;
        file->torn = text[-1] != '\n';
    }
    return true;
}

static bool tell_lost(struct log_file *file, int64_t wall_us)
{
    char line[LOG_STAMP_SIZE + 160];
    long long lost = file->lost;
    bool torn = file->torn;
    if (!lost)
        return true;
    line[0] = '\n';
    char *text = line + 1;
    int length = log_stamp(text, wall_us, "error");
    length += snprintf(text + length, sizeof(line) - 1 - (size_t)length,
        "lost: %lld bytes of the log could not be written: %s\n", lost, strerror(file->trouble));
    file->lost = 0;
    bool told = append(file, torn ? line : text, (size_t)length + torn);
    if (!told)
        file->lost = lost;
    return told;
}

static bool is_over(struct log_file *file, size_t size)
{
    struct stat st;
    if (file->size + (long long)size <= file->max || fstat(file->fd, &st) != 0)
        return false;
    file->size = st.st_size; /* the other writer may have made room */
    return file->size + (long long)size > file->max;
}

void log_file_write(struct log_file *file, int64_t wall_us, const char *lines, size_t size)
{
    if (file->fd < 0 && !open_it(file)) {
        file->lost += (long long)size;
        return;
    }
    if (is_over(file, size))
        make_room(file, wall_us);
    if (tell_lost(file, wall_us))
        append(file, lines, size);
    else
        file->lost += (long long)size;
}

void log_file_close(struct log_file *file, int64_t wall_us)
{
    if (file->lost && (file->fd >= 0 || open_it(file)))
        (void)tell_lost(file, wall_us);
    if (file->fd >= 0)
        close(file->fd);
    free(file->path);
    *file = (struct log_file){.fd = -1};
}
