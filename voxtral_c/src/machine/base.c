#define _DEFAULT_SOURCE       /* madvise */
#define _DARWIN_C_SOURCE
#include "base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

vox_status vox_fail(vox_error *err, vox_status status, const char *format, ...) {
    if (err && err->text && err->size) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, err->size, format, args);
        va_end(args);
    }
    return status;
}

/* ---- allocation ------------------------------------------------------------------------ */

static atomic_long fail_countdown;   /* 0 = off; reaching 0 by counting down fails once */
static atomic_int fail_happened;
static atomic_long live_blocks;

int vox_alloc_fail_at(long n) {
    atomic_store(&fail_countdown, n);
    return atomic_exchange(&fail_happened, 0);
}

long vox_alloc_live(void) { return atomic_load(&live_blocks); }

static int must_fail(void) {
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0) return 0;
    if (atomic_fetch_sub(&fail_countdown, 1) != 1) return 0;
    atomic_store(&fail_happened, 1);
    return 1;
}

void *vox_alloc(size_t count, size_t size) {
    void *p = NULL;
    if (size && count > (SIZE_MAX - 64) / size) return NULL;
    if (must_fail()) return NULL;
    size_t bytes = count * size;
    if (posix_memalign(&p, 64, bytes ? bytes : 1) != 0) return NULL;
    atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
    return p;
}

void *vox_alloc_zero(size_t count, size_t size) {
    void *p = vox_alloc(count, size);
    if (p) memset(p, 0, count * size);
    return p;
}

void vox_free(void *p) {
    if (!p) return;
    atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
    free(p);
}

void vox_large_pages(void *p, size_t bytes) {
#ifdef MADV_HUGEPAGE
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)p / page * page, end = ((uintptr_t)p + bytes) / page * page;
    if (bytes >= 4u << 20) madvise((void *)begin, end - begin, MADV_HUGEPAGE);        /* advice: where there are none, nothing is lost */
#else
    (void)p;
    (void)bytes;
#endif
}

/* ---- files ----------------------------------------------------------------------------- */

char *vox_path(const char *dir, const char *name) {
    size_t d = strlen(dir), n = strlen(name);
    char *path = vox_alloc(d + n + 2, 1);
    if (!path) return NULL;
    memcpy(path, dir, d);
    path[d] = '/';
    memcpy(path + d + 1, name, n + 1);
    return path;
}

char *vox_copy_text(const char *text) {
    const size_t n = strlen(text) + 1;
    char *copy = vox_alloc(n, 1);
    if (copy) memcpy(copy, text, n);
    return copy;
}

static vox_status read_all(FILE *f, const char *path, size_t size, char **out, vox_error *err) {
    char *text = vox_alloc(size + 1, 1);
    if (!text) return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to read %s.", path);
    if (fread(text, 1, size, f) != size) {
        vox_free(text);
        return vox_fail(err, VOX_ERR_IO, "%s could not be read to its end.", path);
    }
    text[size] = 0;
    *out = text;
    return VOX_OK;
}

vox_status vox_read_file(const char *path, size_t max, char **out, size_t *len, vox_error *err) {
    struct stat st;
    FILE *f = fopen(path, "rb");
    *out = NULL;
    *len = 0;
    if (!f) return vox_fail(err, VOX_ERR_IO, "%s cannot be opened: %s.", path, strerror(errno));
    vox_status status;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        status = vox_fail(err, VOX_ERR_IO, "%s is not a file.", path);
    else if ((uintmax_t)st.st_size > max)
        status = vox_fail(err, VOX_ERR_FORMAT, "%s is too large to be what its name says (%lld bytes).",
                          path, (long long)st.st_size);
    else
        status = read_all(f, path, (size_t)st.st_size, out, err);
    if (status == VOX_OK) *len = (size_t)st.st_size;
    fclose(f);
    return status;
}

double vox_now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}
