/* Preloaded into an unmodified program: records what it asks of the disk, and lets the disk fail.
 *
 * POWERCUT_FILE  the database; it, its -wal and its -journal are watched, nothing else is
 * POWERCUT_LOG   where each request is appended, in the order in which it was made
 * POWERCUT_LIAR  if set: a flush answers "done" and is not recorded, as a disk that lies
 * POWERCUT_FULL  a file: while it is there, writes fail with ENOSPC
 * POWERCUT_EIO   a file: while it is there, flushes fail with EIO; its text, a number, lets so
 *                many pass first
 *
 * A record: operation (1 byte), name (1 byte: d, w or j), offset (8), length (8), data. Little
 * endian. Operations: W write, T truncate to offset, S flush, U unlink. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536

static char watched[FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static long flushes;

static char kind_of(const char *path) {
  const char *file = getenv("POWERCUT_FILE");
  size_t length = file ? strlen(file) : 0;
  if (!file || !path || strncmp(path, file, length) != 0) return 0;
  if (path[length] == 0) return 'd';
  if (strcmp(path + length, "-wal") == 0) return 'w';
  if (strcmp(path + length, "-journal") == 0) return 'j';
  return 0;
}

static char kind_of_fd(int fd) { return fd >= 0 && fd < FDS ? watched[fd] : 0; }

#define REAL(result, name, ...)                                   \
  static result (*real)(__VA_ARGS__);                             \
  if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static void record(char operation, char kind, uint64_t offset, const void *data, uint64_t length) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  char head[18] = {operation, kind};
  memcpy(head + 2, &offset, 8);
  memcpy(head + 10, &length, 8);
  if (log_fd < 0) {
    int (*real_open)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    log_fd = real_open(getenv("POWERCUT_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log_fd < 0) abort();
  }
  struct iovec parts[2] = {{head, sizeof head}, {(void *)data, data ? length : 0}};
  if (real(log_fd, parts, 2) != (ssize_t)(sizeof head + (data ? length : 0))) abort();
}

static int is_full(void) {
  const char *flag = getenv("POWERCUT_FULL");
  return flag && access(flag, F_OK) == 0;
}

static int flush_fails(void) {
  const char *flag = getenv("POWERCUT_EIO");
  FILE *file = flag ? fopen(flag, "r") : NULL;
  if (!file) return 0;
  long pass = 0;
  if (fscanf(file, "%ld", &pass) != 1) pass = 0;
  fclose(file);
  return flushes++ >= pass;
}

static int note_open(int fd, const char *path) {
  if (fd >= 0 && fd < FDS) watched[fd] = kind_of(path);
  return fd;
}

#define OPEN(name)                                      \
  int name(const char *path, int flags, ...) {          \
    REAL(int, #name, const char *, int, ...);           \
    va_list rest;                                       \
    va_start(rest, flags);                              \
    int mode = va_arg(rest, int);                       \
    va_end(rest);                                       \
    return note_open(real(path, flags, mode), path);    \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  REAL(int, "close", int);
  if (fd >= 0 && fd < FDS) watched[fd] = 0;
  return real(fd);
}

#define PWRITE(name)                                                     \
  ssize_t name(int fd, const void *data, size_t length, off64_t offset) { \
    REAL(ssize_t, #name, int, const void *, size_t, off64_t);            \
    char kind = kind_of_fd(fd);                                          \
    if (!kind) return real(fd, data, length, offset);                    \
    if (is_full()) return errno = ENOSPC, -1;                            \
    pthread_mutex_lock(&lock);                                           \
    ssize_t done = real(fd, data, length, offset);                       \
    if (done > 0) record('W', kind, offset, data, done);                 \
    pthread_mutex_unlock(&lock);                                         \
    return done;                                                         \
  }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t write(int fd, const void *data, size_t length) {
  REAL(ssize_t, "write", int, const void *, size_t);
  char kind = kind_of_fd(fd);
  if (!kind) return real(fd, data, length);
  if (is_full()) return errno = ENOSPC, -1;
  pthread_mutex_lock(&lock);
  off_t offset = lseek(fd, 0, SEEK_CUR);
  ssize_t done = real(fd, data, length);
  if (done > 0) record('W', kind, offset, data, done);
  pthread_mutex_unlock(&lock);
  return done;
}

#define TRUNCATE(name)                              \
  int name(int fd, off64_t length) {                \
    REAL(int, #name, int, off64_t);                 \
    char kind = kind_of_fd(fd);                     \
    pthread_mutex_lock(&lock);                      \
    int done = real(fd, length);                    \
    if (kind && done == 0) record('T', kind, length, NULL, 0); \
    pthread_mutex_unlock(&lock);                    \
    return done;                                    \
  }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define FLUSH(name)                                              \
  int name(int fd) {                                             \
    REAL(int, #name, int);                                       \
    char kind = kind_of_fd(fd);                                  \
    if (!kind) return real(fd);                                  \
    pthread_mutex_lock(&lock);                                   \
    int fails = flush_fails();                                   \
    if (!fails && !getenv("POWERCUT_LIAR")) record('S', kind, 0, NULL, 0); \
    pthread_mutex_unlock(&lock);                                 \
    if (fails) return errno = EIO, -1;                           \
    return 0; /* Nothing here outlives the test: the real disk need not be waited for. */ \
  }
FLUSH(fsync)
FLUSH(fdatasync)

int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  char kind = kind_of(path);
  pthread_mutex_lock(&lock);
  int done = real(path);
  if (kind && done == 0) record('U', kind, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return done;
}
