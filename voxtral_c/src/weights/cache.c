#define _DEFAULT_SOURCE       /* realpath */
#define _DARWIN_C_SOURCE
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "convert.h"
#include "files.h"
#include "machine/threads.h"

/* Weights below this stay as they are: they are soon read, however they are stored. */
#define SMALL_BYTES 64e6
enum { FORMAT = 4, MAX_NAME = 512, MAX_PATH = 4096 };      /* FORMAT: a change makes all copies anew */
enum { SAMPLES = 16, SAMPLE_BYTES = 4096 };                /* of a file, to tell it from another one */

static vox_status no_memory(const char *path, vox_error *err) {
    return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", path);
}

/* ---- which precision ------------------------------------------------------------------- */

static int is_small(const char *file) {
    struct stat info;
    return stat(file, &info) != 0 || (double)info.st_size < SMALL_BYTES;
}

/* For an official folder of two bytes a weight. What is at hand in all, not what is free just
 * now: the same machine always comes to the same answer. */
static vox_precision choose(const char *folder) {
    char weights[MAX_PATH];
    struct stat info;
    snprintf(weights, sizeof weights, "%s/consolidated.safetensors", folder);
    const double bytes = stat(weights, &info) == 0 ? (double)info.st_size : 0;
    if (bytes < SMALL_BYTES) return VOX_PRECISION_AUTO;
    return vox_memory_total() >= 2 * bytes * 8.5 / 16 ? VOX_PRECISION_Q8_0 : VOX_PRECISION_Q4_K_M;
}

/* The copy is made of a model in plain floats, or the weights are what is wanted (AUTO: anything). */
static vox_status check_source(const char *file, vox_precision wanted, int *as_stored, int *as_it_is, vox_error *err) {
    vox_files f;
    vox_status status = vox_files_load(&f, file, VOX_PRECISION_AUTO, NULL, err);
    if (status != VOX_OK) return status;
    *as_stored = wanted == VOX_PRECISION_AUTO || f.precision == wanted;
    *as_it_is = *as_stored && (!vox_is_quantised(f.weights.type) || f.weights.interleaved || is_small(file));
    if (!*as_stored && f.precision >= VOX_PRECISION_Q8_0)
        status = vox_fail(err, VOX_ERR_UNSUPPORTED, "%s holds %s weights and cannot become %s; leave the precision to auto.",
                          file, vox_precision_name(f.precision), vox_precision_name(wanted));
    vox_files_free(&f);
    return status;
}

/* ---- names in the cache ---------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, const void *data, size_t n) {
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i++) hash = (hash ^ p[i]) * 1099511628211u;      /* FNV-1a */
    return hash;
}

/* Pieces of it from beginning to end. */
static uint64_t mix_samples(uint64_t hash, const char *path, int64_t size) {
    uint8_t sample[SAMPLE_BYTES];
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    for (int i = 0; file >= 0 && i < SAMPLES; i++) {
        const int64_t at = size > SAMPLE_BYTES ? (size - SAMPLE_BYTES) / (SAMPLES - 1) * i : 0;
        const ssize_t n = pread(file, sample, sizeof sample, (off_t)at);
        if (n > 0) hash = mix(hash, sample, (size_t)n);
    }
    if (file >= 0) close(file);
    return hash;
}

/* A changed file has another size or time, or at least other weights. */
static uint64_t mix_file(uint64_t hash, const char *folder, const char *name) {
    char path[MAX_PATH];
    struct stat info;
    snprintf(path, sizeof path, "%s%s", folder, name);
    if (stat(path, &info) == 0) {
        hash = mix_samples(hash, path, info.st_size);
#if defined(__APPLE__)
        const int64_t ns = info.st_mtimespec.tv_nsec;
#else
        const int64_t ns = info.st_mtim.tv_nsec;
#endif
        const int64_t facts[] = { info.st_size, info.st_mtime, ns, FORMAT };
        hash = mix(hash, facts, sizeof facts);
    }
    return hash;
}

/* FOLDER-PLACE-PRECISION-STATE.gguf, PLACE being a hash of the model's path, STATE of its files'
 * sizes, times and samples; *prefix is the length up to STATE. */
static void copy_name(const char *path, int is_folder, vox_precision precision, char *name, size_t size, int *prefix) {
    const uint64_t start = 14695981039346656037u;
    char *real = realpath(path, NULL);
    const char *place = real ? real : path, *last = strrchr(place, '/');
    uint64_t state = start;
    if (is_folder) {
        state = mix_file(state, path, "/params.json");
        state = mix_file(state, path, "/tekken.json");
        state = mix_file(state, path, "/consolidated.safetensors");
    } else {
        state = mix_file(state, path, "");
    }
    *prefix = snprintf(name, size, "%.200s-%08" PRIx32 "-%s-", last && last[1] ? last + 1 : place,
                       (uint32_t)mix(start, place, strlen(place)), vox_precision_name(precision));
    snprintf(name + *prefix, size - (size_t)*prefix, "%016" PRIx64 ".gguf", state);
    free(real);
}

static int is_hex(const char *text, size_t n) { return strspn(text, "0123456789abcdef") >= n; }

/* Is it the name of a copy, or (PART) of one that is being made? */
static int is_copy_name(const char *name, const char *end) {
    const size_t n = strlen(name), tail = strlen(end);
    if (n < tail + 16 + 3 + 9 || strcmp(name + n - tail, end) != 0) return 0;
    const char *state = name + n - tail - 16, *type = state - 2;
    while (type > name && *type != '-') type--;
    return state[-1] == '-' && is_hex(state, 16) && type - name > 9 && is_hex(type - 8, 8) && type[-9] == '-';
}

/* Where the system keeps what can be made again: backups leave it out. */
#ifdef __APPLE__
#define CACHES "Library/Caches/voxtral"
#else
#define CACHES ".cache/voxtral"
#endif

char *vox_cache_folder(const vox_model_params *p) {
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (p->cache_dir) return vox_copy_text(p->cache_dir);
    if (base && base[0] == '/') return vox_path(base, "voxtral");
    return vox_path(home && home[0] ? home : "/tmp", CACHES);
}

vox_status vox_cache_make(const char *path, vox_error *err) {
    char part[MAX_PATH];
    const size_t n = strlen(path);
    for (size_t i = 1; i <= n && n < sizeof part; i++) {
        if (path[i] != '/' && path[i] != 0) continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0755) != 0 && errno != EEXIST && i == n)
            return vox_fail(err, VOX_ERR_IO, "%s cannot be made, to keep what is made once: %s.", path, strerror(errno));
    }
    return VOX_OK;
}

/* ---- what is of no use any more ---------------------------------------------------------- */

static const char COPY[] = ".gguf", PART[] = ".gguf.part";

/* Left behind by a process that was killed: nobody holds it. */
static int remove_abandoned(const char *part) {
    const int file = open(part, O_RDWR | O_CLOEXEC);
    const int removed = file >= 0 && flock(file, LOCK_EX | LOCK_NB) == 0 && unlink(part) == 0;
    if (file >= 0) close(file);
    return removed;
}

/* A copy of a model that is not there any more; damaged, or made by an engine that did not say of what. */
static int is_orphan(const char *copy) {
    gguf g;
    gguf_text of;
    char source[MAX_PATH];
    if (gguf_open(&g, copy, NULL) != VOX_OK) return 1;
    int gone = 1;
    if (gguf_string(&g, VOX_COPY_OF, &of) && of.len < sizeof source) {
        memcpy(source, of.at, of.len);
        source[of.len] = 0;
        gone = access(source, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
    }
    gguf_close(&g);
    return gone;
}

/* Copies of models that are gone, and halves. With `name` also copies of what that model was before
 * (same place and precision, its first `prefix` characters, but another state). */
static void tidy(const char *folder, const char *name, int prefix, vox_cache_gone *gone) {
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;) {
        const int is_copy = is_copy_name(e->d_name, COPY), is_part = is_copy_name(e->d_name, PART);
        char *path = is_copy || is_part ? vox_path(folder, e->d_name) : NULL;
        if (!path) continue;
        const int is_older = name && strcmp(e->d_name, name) != 0 && !strncmp(e->d_name, name, (size_t)prefix);
        const int removed = is_part ? remove_abandoned(path) : (is_older || is_orphan(path)) && unlink(path) == 0;
        if (removed && gone) gone(path);
        vox_free(path);
    }
    if (dir) closedir(dir);
}

int vox_cache_tidy(const vox_model_params *p, vox_cache_gone *gone) {
    char *folder = vox_cache_folder(p);
    if (!folder) return 0;
    tidy(folder, NULL, 0, gone);
    vox_free(folder);
    return 1;
}

int vox_cache_drop(const char *file, const vox_model_params *p) {
    char *folder = vox_cache_folder(p);
    const size_t n = folder ? strlen(folder) : 0;
    const int ours = folder && !strncmp(file, folder, n) && file[n] == '/' && !strchr(file + n + 1, '/') &&
                     is_copy_name(file + n + 1, COPY);
    vox_free(folder);
    return ours && unlink(file) == 0;
}

/* ---- making the copy ------------------------------------------------------------------- */

/* Another process may be at it: then wait until it has done it, or given up. */
static vox_status make_copy(const char *path, const char *copy, const vox_model_params *p, vox_precision precision, vox_error *err) {
    const vox_quantize_params q = { precision, p->threads, 1, p->on_progress, p->user };
    for (;;) {
        if (access(copy, F_OK) == 0) return VOX_OK;
        vox_status status = vox_convert(path, copy, &q, 1, err);
        if (status != VOX_ERR_STATE) return status;
        if (p->on_progress && p->on_progress(0, p->user))
            return vox_fail(err, VOX_ERR_ABORTED, "The conversion of %s was stopped.", path);
        nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
    }
}

/* *file: the copy, made if it is not there yet and `make`; else NULL. */
static vox_status find_copy(const char *path, int is_folder, int make, const vox_model_params *p, vox_precision precision,
                            char **file, vox_error *err) {
    char name[MAX_NAME];
    int prefix;
    copy_name(path, is_folder, precision, name, sizeof name, &prefix);
    char *folder = vox_cache_folder(p), *copy = folder ? vox_path(folder, name) : NULL;
    vox_status status = copy ? VOX_OK : no_memory(path, err);
    const int is_there = copy && access(copy, F_OK) == 0;
    if (status == VOX_OK && make && !is_there) {
        status = vox_cache_make(folder, err);
        tidy(folder, name, prefix, NULL);       /* first: that makes room */
        if (status == VOX_OK) status = make_copy(path, copy, p, precision, err);
    }
    if (status == VOX_OK && (make || is_there)) *file = copy;
    else vox_free(copy);
    vox_free(folder);
    return status;
}

/* Of a quantised file: where no copy can be written, the weights are interleaved in memory. */
static vox_status find_interleaved(const char *gguf_file, const vox_model_params *p, char **file, char *note, size_t size,
                                   vox_error *err) {
    char why[512] = "";
    vox_error reason = { why, sizeof why };
    vox_status status = find_copy(gguf_file, 0, 1, p, VOX_PRECISION_AUTO, file, &reason);
    if (status == VOX_OK) return status;
    if (status != VOX_ERR_IO) return vox_fail(err, status, "%s", why);
    snprintf(note, size, "The weights are arranged in memory, at each start anew: %s", why);
    *file = vox_copy_text(gguf_file);
    return *file ? VOX_OK : no_memory(gguf_file, err);
}

static vox_status find_gguf_or_copy(const char *gguf_file, const vox_model_params *p, char **file, char *note, size_t size,
                                    vox_error *err) {
    int as_stored = 1, as_it_is = is_small(gguf_file);
    vox_status status = VOX_OK;
    if (p->precision == VOX_PRECISION_AUTO && !as_it_is) {           /* a copy tells without opening the source */
        status = find_copy(gguf_file, 0, 0, p, VOX_PRECISION_AUTO, file, err);
        if (status != VOX_OK || *file) return status;
    }
    if (p->precision != VOX_PRECISION_AUTO || !as_it_is)
        status = check_source(gguf_file, p->precision, &as_stored, &as_it_is, err);
    if (status != VOX_OK) return status;
    if (!as_stored) return find_copy(gguf_file, 0, 1, p, p->precision, file, err);
    if (!as_it_is) return find_interleaved(gguf_file, p, file, note, size, err);
    *file = vox_copy_text(gguf_file);
    return *file ? VOX_OK : no_memory(gguf_file, err);
}

vox_status vox_cache_find(const char *path, const vox_model_params *p, char **file, char *note, size_t size,
                          vox_error *err) {
    vox_precision precision = p->precision;
    char *gguf_file = NULL;
    vox_status status = VOX_OK;
    *file = NULL;
    note[0] = 0;
    if (precision != VOX_PRECISION_BF16 && precision != VOX_PRECISION_F32) {
        status = vox_find_gguf(path, &gguf_file, err);
        if (precision == VOX_PRECISION_AUTO && !gguf_file) precision = choose(path);
        if (status == VOX_OK && gguf_file) status = find_gguf_or_copy(gguf_file, p, file, note, size, err);
        else if (status == VOX_OK && precision != VOX_PRECISION_AUTO) status = find_copy(path, 1, 1, p, precision, file, err);
    }
    vox_free(gguf_file);
    if (status != VOX_OK || *file) return status;
    *file = vox_copy_text(path);
    return *file ? VOX_OK : no_memory(path, err);
}
