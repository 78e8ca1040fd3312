/*
 * Preloaded into a gateway by tests: makes system calls on files below one folder fail, moves the wall clock, and says where names lead.
 * What it is to do stands in files that the test writes while the gateway runs (fault-shim.ts has the layout of the first).
 *
 * Beside it, it keeps what a disk would hold: a copy of each *.mdb that has only what was synced. What a sync that failed was
 * to write is lost there for good, as kernels do it: they take such pages for clean.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
  int32_t write_errno;     /* write, pwrite, their vectors, ftruncate */
  int32_t sync_errno;      /* fsync, fdatasync, msync */
  int32_t sync_write_errno; /* writes through a descriptor that syncs each one: LMDB's meta pages */
  int32_t open_errno;      /* opening for writing */
  int32_t keeps;           /* 1: what a sync-write that fails was to write is in the file, though not on the disk; 2: and can't be undone */
  int32_t left;            /* calls that still fail; negative: all */
  int32_t failed;          /* calls that were made to fail */
  int32_t pad;
  int64_t wall_offset_us;
};

static struct control none = {0};
static volatile struct control *control = &none;
static const char *folder, *durable;
static size_t folder_length;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, name)

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULTS_CONTROL");
  folder = getenv("FAULTS_FOLDER");
  durable = getenv("FAULTS_DURABLE");
  if (path == NULL || folder == NULL) return;
  folder_length = strlen(folder);
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *memory = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory != MAP_FAILED) control = memory;
}

static int below_folder(const char *path) {
  return folder != NULL && strncmp(path, folder, folder_length) == 0 && path[folder_length] == '/';
}

/* Its path where the file of a descriptor lies below the folder; 0 elsewhere. */
static int path_of(int fd, char *path, size_t size) {
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return below_folder(path);
}

/* Whether this call is to fail. */
static int fails(int32_t wanted) {
  if (wanted == 0 || control->left == 0) return 0;
  if (control->left > 0) __sync_fetch_and_sub(&control->left, 1);
  __sync_fetch_and_add(&control->failed, 1);
  errno = wanted;
  return 1;
}

static int syncs_each_write(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_DSYNC) != 0;
}

/* ---- What a disk would hold */

struct pending {
  struct pending *next;
  off_t offset;
  size_t length;
  char name[64];
  char bytes[];
};
static struct pending *unsynced;

static int shadow_name(const char *path, char *name) {
  const char *base = strrchr(path, '/') + 1;
  size_t length = strlen(base);
  if (durable == NULL || length < 4 || length > 60 || strcmp(base + length - 4, ".mdb") != 0) return 0;
  strcpy(name, base);
  return 1;
}

static void apply(const char *name, const void *bytes, size_t length, off_t offset) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", durable, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || real(fd, bytes, length, offset) != (ssize_t)length) abort();
  close(fd);
}

static void written(const char *path, int is_synced, const void *bytes, size_t length, off_t offset) {
  char name[64];
  if (!shadow_name(path, name)) return;
  pthread_mutex_lock(&lock);
  if (is_synced) apply(name, bytes, length, offset);
  else {
    struct pending *one = malloc(sizeof *one + length);
    one->next = NULL;
    one->offset = offset;
    one->length = length;
    strcpy(one->name, name);
    memcpy(one->bytes, bytes, length);
    struct pending **end = &unsynced;
    while (*end != NULL) end = &(*end)->next;
    *end = one;
  }
  pthread_mutex_unlock(&lock);
}

static void synced(const char *path, int succeeded) {
  char name[64];
  if (!shadow_name(path, name)) return;
  pthread_mutex_lock(&lock);
  for (struct pending **at = &unsynced; *at != NULL;) {
    struct pending *one = *at;
    if (strcmp(one->name, name) != 0) {
      at = &one->next;
      continue;
    }
    if (succeeded) apply(name, one->bytes, one->length, one->offset);
    *at = one->next;
    free(one);
  }
  pthread_mutex_unlock(&lock);
}

/* ---- Writes */

enum { META_PAGES_BYTES = 8192 };

/* -1 with errno where a write of `length` bytes at `offset` is to fail before anything is written, else 0. */
static int refused(int is_synced, off_t offset) {
  int undoes = control->keeps == 2 && !is_synced && offset >= 0 && offset < META_PAGES_BYTES && control->sync_write_errno != 0;
  if (undoes) {
    errno = control->sync_write_errno;
    return -1;
  }
  return fails(control->write_errno) ? -1 : 0;
}

static int is_faulty(void) {
  return control->write_errno != 0 || control->sync_write_errno != 0 || durable != NULL;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
  char path[4096];
  if (!is_faulty() || !path_of(fd, path, sizeof path)) return real(fd, bytes, length, offset);
  int is_synced = syncs_each_write(fd);
  if (refused(is_synced, offset) != 0) return -1;
  if (is_synced && fails(control->sync_write_errno)) {
    int wanted = errno;
    if (control->keeps != 0) real(fd, bytes, length, offset);
    errno = wanted;
    return -1;
  }
  ssize_t done = real(fd, bytes, length, offset);
  if (done > 0) written(path, is_synced, bytes, done, offset);
  return done;
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  return pwrite64(fd, bytes, length, offset);
}

static void written_parts(const char *path, int is_synced, const struct iovec *parts, int count, ssize_t left, off_t offset) {
  for (int part = 0; part < count && left > 0; part++) {
    size_t length = (ssize_t)parts[part].iov_len < left ? parts[part].iov_len : (size_t)left;
    written(path, is_synced, parts[part].iov_base, length, offset);
    offset += length;
    left -= length;
  }
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) {
  REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off_t);
  char path[4096];
  if (!is_faulty() || !path_of(fd, path, sizeof path)) return real(fd, parts, count, offset);
  int is_synced = syncs_each_write(fd);
  if (refused(is_synced, offset) != 0) return -1;
  ssize_t done = real(fd, parts, count, offset);
  written_parts(path, is_synced, parts, count, done, offset);
  return done;
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  return pwritev64(fd, parts, count, offset);
}

static int plain_write_fails(int fd) {
  char path[4096];
  return control->write_errno != 0 && path_of(fd, path, sizeof path) && fails(control->write_errno);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(ssize_t, "write", int, const void *, size_t);
  return plain_write_fails(fd) ? -1 : real(fd, bytes, length);
}

/* LMDB writes pages that follow each other by lseek and writev. */
ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  if (plain_write_fails(fd)) return -1;
  char path[4096];
  if (durable == NULL || !path_of(fd, path, sizeof path)) return real(fd, parts, count);
  off_t offset = lseek(fd, 0, SEEK_CUR);
  ssize_t done = real(fd, parts, count);
  written_parts(path, syncs_each_write(fd), parts, count, done, offset);
  return done;
}

int ftruncate64(int fd, off_t length) {
  REAL(int, "ftruncate64", int, off_t);
  return plain_write_fails(fd) ? -1 : real(fd, length);
}
int ftruncate(int fd, off_t length) {
  return ftruncate64(fd, length);
}

/* ---- Syncs */

static int sync_fails(int fd) {
  char path[4096];
  if ((control->sync_errno == 0 && durable == NULL) || !path_of(fd, path, sizeof path)) return 0;
  int failing = fails(control->sync_errno), wanted = errno;
  synced(path, !failing);
  errno = wanted;
  return failing;
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  return sync_fails(fd) ? -1 : real(fd);
}

int fsync(int fd) {
  REAL(int, "fsync", int);
  return sync_fails(fd) ? -1 : real(fd);
}

/* ---- Opening for writing */

static int opening_fails(const char *path, int flags) {
  return control->open_errno != 0 && (flags & (O_WRONLY | O_RDWR)) != 0 && below_folder(path) && fails(control->open_errno);
}

int open64(const char *path, int flags, ...) {
  REAL(int, "open64", const char *, int, ...);
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return opening_fails(path, flags) ? -1 : real(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  return open64(path, flags, mode);
}

/* ---- The wall clock */

int clock_gettime(clockid_t clock, struct timespec *now) {
  REAL(int, "clock_gettime", clockid_t, struct timespec *);
  int result = real(clock, now);
  if (result != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
  int64_t ns = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + control->wall_offset_us * 1000;
  now->tv_sec = ns / 1000000000;
  now->tv_nsec = ns % 1000000000;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *into) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (into != NULL) *into = exact.tv_sec;
  return exact.tv_sec;
}

/* ---- Names: a line "name address" for each address of a name, the name alone for one that can't be resolved */

int getaddrinfo(const char *restrict node, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found) {
  REAL(int, "getaddrinfo", const char *, const char *, const struct addrinfo *, struct addrinfo **);
  const char *path = getenv("FAULTS_NAMES");
  FILE *names = path == NULL || node == NULL ? NULL : fopen(path, "r");
  if (names == NULL) return real(node, service, hints, found);
  struct addrinfo numeric = {0}, **end = found;
  if (hints != NULL) numeric = *hints;
  numeric.ai_flags = AI_NUMERICHOST;
  char line[512], name[256], address[256];
  int known = 0;
  *found = NULL;
  while (fgets(line, sizeof line, names) != NULL) {
    int parts = sscanf(line, "%255s %255s", name, address);
    if (parts < 1 || strcmp(name, node) != 0) continue;
    known = 1;
    if (parts < 2 || real(address, service, &numeric, end) != 0) continue;
    while (*end != NULL) end = &(*end)->ai_next;
  }
  fclose(names);
  if (!known) return real(node, service, hints, found);
  return *found == NULL ? EAI_NONAME : 0;
}
