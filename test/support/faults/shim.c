// Loaded into a program by LD_PRELOAD, so that it sees what Node, the addon and lmdb alike ask of the system: every change to a
// file below NIGH_FAULT_ROOT is counted and written to NIGH_FAULT_LOG, and call number NIGH_FAULT_AT goes wrong as NIGH_FAULT_HOW
// says:
//
//   kill     SIGKILL instead of the call
//   torn     half of a write, then SIGKILL; as kill for other calls
//   EIO      this one call fails
//   late     this write is done and yet fails, and so does the next call, which is not done
//   ENOSPC   from this call on, whatever takes room fails: names, and writes beyond the end of a file (file systems that write in
//            another place what was there need room for more)
//
// A line of the log: the call, the path, and the second path or a number, with tabs between: how many bytes are written, to what
// length a file is cut (one that is opened to be written anew: to 0). A write to a file that was opened with O_DSYNC, which is on
// disk when it returns, is a flushed-write. With NIGH_FAULT_BYTES, what is written is kept in that file, and its line has two
// numbers more: where it goes in its own file, and where it lies in that one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { NOTHING, KILL, TORN, FAIL_ONCE, FAIL_LATE, FULL };

static const char* root;
static size_t root_length;
static long at;
static enum how how;
static int log_fd = -1;
static int bytes_fd = -1;
static off_t kept;
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;
static atomic_long calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  root = getenv("NIGH_FAULT_ROOT");
  const char* log = getenv("NIGH_FAULT_LOG");
  const char* wanted_at = getenv("NIGH_FAULT_AT");
  const char* wanted = getenv("NIGH_FAULT_HOW");
  if (root == NULL || log == NULL) return;
  root_length = strlen(root);
  log_fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const char* bytes = getenv("NIGH_FAULT_BYTES");
  if (bytes != NULL) bytes_fd = REAL(open)(bytes, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  at = wanted_at == NULL ? 0 : atol(wanted_at);
  if (wanted == NULL) return;
  if (strcmp(wanted, "kill") == 0) how = KILL;
  if (strcmp(wanted, "torn") == 0) how = TORN;
  if (strcmp(wanted, "EIO") == 0) how = FAIL_ONCE;
  if (strcmp(wanted, "late") == 0) how = FAIL_LATE;
  if (strcmp(wanted, "ENOSPC") == 0) how = FULL;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();  // the signal may take a moment: nothing more may happen until then
}

static int inside(const char* path) {
  return log_fd >= 0 && path != NULL && strncmp(path, root, root_length) == 0 &&
         (path[root_length] == '/' || path[root_length] == 0);
}

/// Absolute, so far as it is told by `directory` and the working directory.
static void absolute(int directory, const char* path, char* out) {
  char base[PATH_MAX] = "";
  if (path[0] != '/') {
    if (directory == AT_FDCWD) {
      if (getcwd(base, sizeof base) == NULL) base[0] = 0;
    } else {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
      const ssize_t length = readlink(link, base, sizeof base - 1);
      base[length < 0 ? 0 : length] = 0;
    }
  }
  snprintf(out, PATH_MAX, "%.2000s%s%.2000s", base, base[0] == 0 ? "" : "/", path);
}

static int file_of(int fd, char* out) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, out, PATH_MAX - 1);
  if (length < 0) return 0;
  out[length] = 0;
  return inside(out);
}

/// Counts and logs a call; true when it has to fail, with errno set. `faulty` is set where a write is still to be done, so far as
/// share() says, and to end as outcome() does.
static int refused(const char* name, const char* path, const char* second, int takes_room, int* faulty) {
  const int saved = errno;
  char line[2 * PATH_MAX + 64];
  const int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", name, path, second);
  const long number = atomic_fetch_add(&calls, 1) + 1;
  if (REAL(write)(log_fd, line, length) < 0) die();
  if (at != 0 && number == at) {
    if ((how == TORN || how == FAIL_LATE) && faulty != NULL) {
      *faulty = 1;
      errno = saved;
      return 0;
    }
    if (how == KILL || how == TORN) die();
    if (how == FAIL_ONCE || how == FAIL_LATE) {
      errno = EIO;
      return 1;
    }
  }
  if (how == FAIL_LATE && at != 0 && number == at + 1) {
    errno = EIO;
    return 1;
  }
  if (how == FULL && at != 0 && number >= at && takes_room) {
    errno = ENOSPC;
    return 1;
  }
  errno = saved;
  return 0;
}

/// Keeps the bytes of `parts` and adds their two places to the numbers of a log line.
static void keep(const struct iovec* parts, int count, off_t file_offset, char* numbers, size_t room) {
  const int saved = errno;
  pthread_mutex_lock(&keeping);
  const size_t used = strlen(numbers);
  snprintf(numbers + used, room - used, "\t%lld\t%lld", (long long)file_offset, (long long)kept);
  for (int i = 0; i < count; ++i) {
    const char* data = parts[i].iov_base;
    for (size_t done = 0; done < parts[i].iov_len;) {
      const ssize_t written = REAL(write)(bytes_fd, data + done, parts[i].iov_len - done);
      if (written < 0) die();
      done += written;
    }
    kept += parts[i].iov_len;
  }
  pthread_mutex_unlock(&keeping);
  errno = saved;
}

static int refused_write(int fd, const struct iovec* parts, int count, off_t offset, int* faulty) {
  char path[PATH_MAX];
  char numbers[96];
  if (!file_of(fd, path)) return 0;
  size_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += parts[i].iov_len;
  snprintf(numbers, sizeof numbers, "%zu", bytes);
  const int saved = errno;
  const int flags = fcntl(fd, F_GETFL);
  struct stat status;
  const off_t end = fstat(fd, &status) == 0 ? status.st_size : 0;
  if (offset < 0) offset = (flags & O_APPEND) != 0 ? end : lseek(fd, 0, SEEK_CUR);
  errno = saved;
  if (bytes_fd >= 0) keep(parts, count, offset, numbers, sizeof numbers);
  const int is_flushed = flags >= 0 && (flags & O_DSYNC) != 0;
  return refused(is_flushed ? "flushed-write" : "write", path, numbers, offset + (off_t)bytes > end, faulty);
}

static int refused_open(int directory, const char* path, int flags) {
  char full[PATH_MAX];
  if (log_fd < 0 || (flags & O_CREAT) == 0) return 0;
  absolute(directory, path, full);
  return inside(full) && refused("create", full, (flags & O_TRUNC) != 0 ? "0" : "", 1, NULL);
}

static int refused_name(const char* name, int directory, const char* path, int takes_room) {
  char full[PATH_MAX];
  if (log_fd < 0) return 0;
  absolute(directory, path, full);
  return inside(full) && refused(name, full, "", takes_room, NULL);
}

static int refused_names(const char* name, const char* from, const char* to, int takes_room) {
  char first[PATH_MAX];
  char second[PATH_MAX];
  if (log_fd < 0) return 0;
  absolute(AT_FDCWD, from, first);
  absolute(AT_FDCWD, to, second);
  return (inside(first) || inside(second)) && refused(name, first, second, takes_room, NULL);
}

static int refused_file(const char* name, int fd, const char* second) {
  char path[PATH_MAX];
  return file_of(fd, path) && refused(name, path, second, 0, NULL);
}

static int is_torn(int faulty) { return faulty && how == TORN; }

static size_t share(int faulty, size_t bytes) { return is_torn(faulty) ? bytes / 2 : bytes; }

static ssize_t outcome(int faulty, ssize_t written) {
  if (is_torn(faulty)) die();
  if (!faulty) return written;
  errno = EIO;
  return -1;
}

#define MODE(flags)                             \
  mode_t mode = 0;                              \
  if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
    va_list rest;                               \
    va_start(rest, flags);                      \
    mode = va_arg(rest, mode_t);                \
    va_end(rest);                               \
  }

int open(const char* path, int flags, ...) {
  MODE(flags)
  return refused_open(AT_FDCWD, path, flags) ? -1 : REAL(open)(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  MODE(flags)
  return refused_open(AT_FDCWD, path, flags) ? -1 : REAL(open64)(path, flags, mode);
}
int openat(int directory, const char* path, int flags, ...) {
  MODE(flags)
  return refused_open(directory, path, flags) ? -1 : REAL(openat)(directory, path, flags, mode);
}

ssize_t write(int fd, const void* data, size_t bytes) {
  int faulty = 0;
  if (refused_write(fd, &(struct iovec){(void*)data, bytes}, 1, -1, &faulty)) return -1;
  const ssize_t written = REAL(write)(fd, data, share(faulty, bytes));
  return outcome(faulty, written);
}
ssize_t pwrite(int fd, const void* data, size_t bytes, off_t offset) {
  int faulty = 0;
  if (refused_write(fd, &(struct iovec){(void*)data, bytes}, 1, offset, &faulty)) return -1;
  const ssize_t written = REAL(pwrite)(fd, data, share(faulty, bytes), offset);
  return outcome(faulty, written);
}
ssize_t pwrite64(int fd, const void* data, size_t bytes, off64_t offset) { return pwrite(fd, data, bytes, offset); }
ssize_t writev(int fd, const struct iovec* parts, int count) {
  int faulty = 0;
  if (refused_write(fd, parts, count, -1, &faulty)) return -1;
  const ssize_t written =
      is_torn(faulty) ? REAL(write)(fd, parts[0].iov_base, parts[0].iov_len / 2) : REAL(writev)(fd, parts, count);
  return outcome(faulty, written);
}
ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  int faulty = 0;
  if (refused_write(fd, parts, count, offset, &faulty)) return -1;
  const ssize_t written = is_torn(faulty) ? REAL(pwrite)(fd, parts[0].iov_base, parts[0].iov_len / 2, offset)
                                          : REAL(pwritev)(fd, parts, count, offset);
  return outcome(faulty, written);
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) { return pwritev(fd, parts, count, offset); }
ssize_t copy_file_range(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t bytes, unsigned flags) {
  char path[PATH_MAX];
  struct stat status;
  void* data = NULL;
  if (bytes_fd >= 0 && file_of(out, path) && fstat(in, &status) == 0) {
    const off_t from = in_offset != NULL ? *in_offset : lseek(in, 0, SEEK_CUR);
    const size_t rest = from < status.st_size ? (size_t)(status.st_size - from) : 0;
    if (bytes > rest) bytes = rest;
    data = malloc(bytes + 1);
    if (data == NULL || pread(in, data, bytes, from) != (ssize_t)bytes) die();
  }
  const struct iovec part = {data, bytes};
  const int stopped = refused_write(out, &part, 1, out_offset != NULL ? *out_offset : -1, NULL);
  free(data);
  return stopped ? -1 : REAL(copy_file_range)(in, in_offset, out, out_offset, bytes, flags);
}

int ftruncate(int fd, off_t length) {
  char size[32];
  snprintf(size, sizeof size, "%lld", (long long)length);
  return refused_file("truncate", fd, size) ? -1 : REAL(ftruncate)(fd, length);
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }
int fsync(int fd) { return refused_file("fsync", fd, "") ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return refused_file("fsync", fd, "") ? -1 : REAL(fdatasync)(fd); }
int rename(const char* from, const char* to) { return refused_names("rename", from, to, 0) ? -1 : REAL(rename)(from, to); }
int link(const char* from, const char* to) { return refused_names("link", from, to, 1) ? -1 : REAL(link)(from, to); }
int unlink(const char* path) { return refused_name("unlink", AT_FDCWD, path, 0) ? -1 : REAL(unlink)(path); }
int unlinkat(int directory, const char* path, int flags) {
  return refused_name("unlink", directory, path, 0) ? -1 : REAL(unlinkat)(directory, path, flags);
}
int rmdir(const char* path) { return refused_name("rmdir", AT_FDCWD, path, 0) ? -1 : REAL(rmdir)(path); }
int mkdir(const char* path, mode_t mode) { return refused_name("mkdir", AT_FDCWD, path, 1) ? -1 : REAL(mkdir)(path, mode); }
