/* A disk that fails on purpose: preloaded (ld.so, LD_PRELOAD), it lets chosen calls on chosen files fail, as the file PANGATE_FAULTS says.
   Layout of that file: tests/tools/faults.py. A process that nobody arms works as without it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, CREATE = 4, RENAME = 8, SIZE = 16, READ = 32 };

struct control {
    int error, operations, skip, times, seen, failed;
    char part[232];
};

static struct control *control;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("PANGATE_FAULTS");
    int file = path ? open(path, O_RDWR) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (found != MAP_FAILED) control = found;
    close(file);
}

static int fails(int operation, int file, const char *path) {
    char link[64], found[4096];
    if (!control || !(control->operations & operation)) return 0;
    if (!path) {
        int before = errno;
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t length = readlink(link, found, sizeof found - 1);
        errno = before;
        if (length < 0) return 0;
        found[length] = 0;
        path = found;
    }
    if (!strstr(path, control->part)) return 0;
    int number = __atomic_fetch_add(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (!control->error || number < control->skip || number >= control->skip + control->times) return 0;
    __atomic_fetch_add(&control->failed, 1, __ATOMIC_SEQ_CST);
    errno = control->error;
    return 1;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *data, size_t size) { REAL(write); return fails(WRITE, file, NULL) ? -1 : real(file, data, size); }
ssize_t writev(int file, const struct iovec *data, int count) { REAL(writev); return fails(WRITE, file, NULL) ? -1 : real(file, data, count); }
ssize_t pwrite(int file, const void *data, size_t size, off_t at) { REAL(pwrite); return fails(WRITE, file, NULL) ? -1 : real(file, data, size, at); }
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) { REAL(pwrite64); return fails(WRITE, file, NULL) ? -1 : real(file, data, size, at); }
ssize_t read(int file, void *data, size_t size) { REAL(read); return fails(READ, file, NULL) ? -1 : real(file, data, size); }
ssize_t pread(int file, void *data, size_t size, off_t at) { REAL(pread); return fails(READ, file, NULL) ? -1 : real(file, data, size, at); }
ssize_t pread64(int file, void *data, size_t size, off64_t at) { REAL(pread64); return fails(READ, file, NULL) ? -1 : real(file, data, size, at); }
int fsync(int file) { REAL(fsync); return fails(SYNC, file, NULL) ? -1 : real(file); }
int fdatasync(int file) { REAL(fdatasync); return fails(SYNC, file, NULL) ? -1 : real(file); }
int ftruncate(int file, off_t size) { REAL(ftruncate); return fails(SIZE, file, NULL) ? -1 : real(file, size); }
int ftruncate64(int file, off64_t size) { REAL(ftruncate64); return fails(SIZE, file, NULL) ? -1 : real(file, size); }
int rename(const char *from, const char *to) { REAL(rename); return fails(RENAME, -1, to) ? -1 : real(from, to); }

#define OPENED(name)                                              \
    int name(const char *path, int flags, ...) {                  \
        REAL(name);                                               \
        mode_t mode = 0;                                          \
        if (flags & (O_CREAT | __O_TMPFILE)) {                    \
            va_list more;                                         \
            va_start(more, flags);                                \
            mode = va_arg(more, mode_t);                          \
            va_end(more);                                         \
        }                                                         \
        if (flags & O_CREAT && fails(CREATE, -1, path)) return -1; \
        return real(path, flags, mode);                           \
    }
OPENED(open)
OPENED(open64)
