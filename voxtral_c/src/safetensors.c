#define _POSIX_C_SOURCE 200809L
#include "safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_HEADER ((uint64_t)100 << 20)

const char *vox_dtype_name(vox_dtype type) {
    static const char *const names[] = { "BF16", "F16", "F32", "another type" };
    return names[type];
}

static vox_dtype parse_dtype(const json_doc *doc, const json_node *node, size_t *size) {
    char name[16];
    *size = 0;
    if (json_string(doc, node, name, sizeof name) < 0) return VOX_OTHER;
    if (!strcmp(name, "BF16")) { *size = 2; return VOX_BF16; }
    if (!strcmp(name, "F16")) { *size = 2; return VOX_F16; }
    if (!strcmp(name, "F32")) { *size = 4; return VOX_F32; }
    return VOX_OTHER;
}

/* The number of elements, or -1 when a dimension is bad or the product does not fit. */
static int64_t parse_shape(const json_doc *doc, const json_node *node, st_tensor *t) {
    int64_t count = 1;
    if (!node || node->type != JSON_ARRAY) return -1;
    for (const json_node *d = json_first(doc, node); d; d = json_next(doc, d)) {
        int64_t n;
        if (!json_integer(doc, d, &n) || n < 0 || n > (int64_t)1 << 40) return -1;
        if (n && count > ((int64_t)1 << 46) / n) return -1;
        count *= n;
        if (t->n_dims < VOX_MAX_DIMS) t->shape[t->n_dims] = n;
        t->n_dims++;
    }
    return count;
}

static vox_status parse_tensor(safetensors *st, const json_doc *doc, const json_node *node,
                               const uint8_t *data, uint64_t data_size, vox_error *err) {
    st_tensor *t = &st->tensors[st->n_tensors];
    const json_node *offsets = json_member(doc, node, "data_offsets");
    const json_node *first = json_first(doc, offsets), *second = json_next(doc, first);
    int64_t begin, end;
    size_t size;
    int shown = node->key_len < 200 ? (int)node->key_len : 200;
    const char *name = doc->text + node->key;
    memset(t, 0, sizeof *t);
    t->name = name;
    t->name_len = node->key_len;
    t->dtype = parse_dtype(doc, json_member(doc, node, "dtype"), &size);
    t->count = parse_shape(doc, json_member(doc, node, "shape"), t);
    if (t->count < 0)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: the shape of %.*s is malformed.", st->path, shown, name);
    if (!json_integer(doc, first, &begin) || !json_integer(doc, second, &end) || begin < 0 ||
        end < begin || (uint64_t)end > data_size)
        return vox_fail(err, VOX_ERR_FORMAT,
                        "%s: %.*s lies outside the file; the download is incomplete or damaged, "
                        "fetch the file again.", st->path, shown, name);
    if (size && end - begin != t->count * (int64_t)size)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: the size of %.*s does not fit its shape.",
                        st->path, shown, name);
    t->data = data + begin;
    st->n_tensors++;
    return VOX_OK;
}

static vox_status parse_header(safetensors *st, vox_error *err) {
    const uint8_t *bytes = st->map;
    uint64_t length = 0;
    json_doc doc;
    for (int i = 7; i >= 0; i--) length = length << 8 | bytes[i];
    if (length > MAX_HEADER || length > st->map_size - 8)
        return vox_fail(err, VOX_ERR_FORMAT,
                        "%s is not a safetensors file, or its download is incomplete.", st->path);
    vox_status status = json_parse(&doc, (const char *)bytes + 8, (size_t)length, st->path, err);
    if (status != VOX_OK) return status;
    if (doc.nodes[0].type != JSON_OBJECT)
        status = vox_fail(err, VOX_ERR_FORMAT, "%s: the header is not an object.", st->path);
    if (status == VOX_OK) {
        size_t members = 0;
        for (const json_node *n = json_first(&doc, doc.nodes); n; n = json_next(&doc, n)) members++;
        st->tensors = vox_alloc(members, sizeof *st->tensors);
        if (!st->tensors)
            status = vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", st->path);
    }
    for (const json_node *n = json_first(&doc, doc.nodes); n && status == VOX_OK; n = json_next(&doc, n)) {
        if (n->key_len == 12 && !memcmp(doc.text + n->key, "__metadata__", 12)) continue;
        status = parse_tensor(st, &doc, n, bytes + 8 + length, st->map_size - 8 - length, err);
    }
    json_free(&doc);
    return status;
}

static vox_status map_file(safetensors *st, vox_error *err) {
    struct stat info;
    int fd = open(st->path, O_RDONLY);
    if (fd < 0) return vox_fail(err, VOX_ERR_IO, "%s cannot be opened: %s.", st->path, strerror(errno));
    vox_status status = VOX_OK;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = vox_fail(err, VOX_ERR_IO, "%s is not a file.", st->path);
    } else if (info.st_size < 8) {
        status = vox_fail(err, VOX_ERR_FORMAT, "%s is empty or cut off; fetch the file again.", st->path);
    } else {
        void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) {
            status = vox_fail(err, VOX_ERR_IO, "%s cannot be mapped: %s.", st->path, strerror(errno));
        } else {
            st->map = map;
            st->map_size = (size_t)info.st_size;
        }
    }
    close(fd);
    return status;
}

vox_status safetensors_open(safetensors *st, const char *path, vox_error *err) {
    memset(st, 0, sizeof *st);
    st->path = vox_alloc(strlen(path) + 1, 1);
    if (!st->path) return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", path);
    memcpy(st->path, path, strlen(path) + 1);
    vox_status status = map_file(st, err);
    if (status == VOX_OK) status = parse_header(st, err);
    if (status != VOX_OK) safetensors_close(st);
    return status;
}

void safetensors_close(safetensors *st) {
    if (st->map) munmap(st->map, st->map_size);
    vox_free(st->tensors);
    vox_free(st->path);
    memset(st, 0, sizeof *st);
}

const st_tensor *safetensors_find(const safetensors *st, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i < st->n_tensors; i++)
        if (st->tensors[i].name_len == n && !memcmp(st->tensors[i].name, name, n)) return &st->tensors[i];
    return NULL;
}

static float f16_to_f32(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    union { uint32_t u; float f; } v;
    if (exponent == 0) {
        float f = (float)fraction * (1.0f / 16777216.0f);
        return sign ? -f : f;
    }
    v.u = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    return v.f;
}

void safetensors_read(const st_tensor *t, int64_t begin, int64_t n, float *out) {
    const size_t size = t->dtype == VOX_F32 ? 4 : 2;
    const uint8_t *src = t->data + (size_t)begin * size;
    if (t->dtype == VOX_F32) {
        memcpy(out, src, (size_t)n * 4);
        return;
    }
    for (int64_t i = 0; i < n; i++, src += 2) {
        uint16_t v = (uint16_t)(src[0] | src[1] << 8);
        out[i] = t->dtype == VOX_BF16 ? vox_bf16_to_f32(v) : f16_to_f32(v);
    }
}
