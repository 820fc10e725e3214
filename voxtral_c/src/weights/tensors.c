#define _DEFAULT_SOURCE       /* madvise */
#define _DARWIN_C_SOURCE
#include "tensors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interleave.h"

static vox_status map_file(vox_tensors *t, size_t least, vox_error *err) {
    struct stat info;
    int fd = open(t->path, O_RDONLY);
    if (fd < 0) return vox_fail(err, VOX_ERR_IO, "%s cannot be opened: %s.", t->path, strerror(errno));
    vox_status status = VOX_OK;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = vox_fail(err, VOX_ERR_IO, "%s is not a file.", t->path);
    } else if ((uintmax_t)info.st_size < least) {
        status = vox_fail(err, VOX_ERR_FORMAT, "%s is empty or cut off; fetch the file again.", t->path);
    } else {
        void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) {
            status = vox_fail(err, VOX_ERR_IO, "%s cannot be mapped: %s.", t->path, strerror(errno));
        } else {
            vox_large_pages(map, (size_t)info.st_size);
            t->map = map;
            t->map_size = (size_t)info.st_size;
        }
    }
    close(fd);
    return status;
}

vox_status vox_tensors_map(vox_tensors *t, const char *path, size_t least, vox_error *err) {
    memset(t, 0, sizeof *t);
    t->path = vox_copy_text(path);
    if (!t->path) return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", path);
    vox_status status = map_file(t, least, err);
    if (status != VOX_OK) vox_tensors_close(t);
    return status;
}

void vox_tensors_close(vox_tensors *t) {
    if (t->map) munmap(t->map, t->map_size);
    vox_free(t->list);
    vox_free(t->path);
    memset(t, 0, sizeof *t);
}

const vox_tensor *vox_tensors_find(const vox_tensors *t, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < t->n; i++)
        if (t->list[i].name_len == n && !memcmp(t->list[i].name, name, n)) return &t->list[i];
    return NULL;
}

void vox_tensor_read(const vox_tensor *t, int64_t begin, int64_t n, float *out) {
    if (t->interleaved) {
        const int64_t cols = t->shape[1];
        for (int64_t i = begin; i < begin + n; i += cols, out += cols)
            vox_interleaved_row(t->type, t->data, (int)(i / cols), (int)cols, out);
        return;
    }
    const size_t at = (size_t)(begin / vox_block_weights(t->type)) * vox_block_bytes(t->type);
    vox_dequantize(t->type, t->data + at, out, (size_t)n);
}

void vox_tensor_release(const vox_tensor *t, uint64_t from, uint64_t to) {
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t begin = ((uintptr_t)t->data + from + page - 1) / page * page, end = ((uintptr_t)t->data + to) / page * page;
    if (end > begin) madvise((void *)begin, end - begin, MADV_DONTNEED);
}
