#include "gguf.h"

#include <math.h>
#include <string.h>

#include "interleave.h"

enum { MAGIC = 0x46554747, DEFAULT_ALIGNMENT = 32, MAX_ALIGNMENT = 1 << 20 };
#define MAX_ELEMENTS ((int64_t)1 << 46)

static const uint8_t type_sizes[GGUF_TYPES] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };

static const uint32_t weight_numbers[VOX_WEIGHT_TYPES] = {
    [VOX_WEIGHT_F32] = 0, [VOX_WEIGHT_F16] = 1, [VOX_WEIGHT_Q8_0] = 8, [VOX_WEIGHT_Q4_K] = 12,
    [VOX_WEIGHT_Q5_K] = 13, [VOX_WEIGHT_Q6_K] = 14, [VOX_WEIGHT_BF16] = 30,
};

uint32_t gguf_weight_type_number(vox_weight_type type) { return weight_numbers[type]; }

/* VOX_WEIGHT_TYPES if it is none that this engine reads. */
static vox_weight_type weight_type(uint32_t number) {
    for (int i = 0; i < VOX_WEIGHT_TYPES; i++)
        if (weight_numbers[i] == number) return (vox_weight_type)i;
    return VOX_WEIGHT_TYPES;
}

/* ---- reading with care: the first step beyond the end sticks --------------------------- */

typedef struct cursor {
    const uint8_t *at, *end;
    int bad;
} cursor;

static const uint8_t *take(cursor *c, uint64_t n) {
    const uint8_t *p = c->at;
    if (c->bad || n > (uint64_t)(c->end - c->at)) {
        c->bad = 1;
        return NULL;
    }
    c->at += n;
    return p;
}

static uint32_t take_u32(cursor *c) {
    uint32_t v = 0;
    const uint8_t *p = take(c, sizeof v);
    if (p) memcpy(&v, p, sizeof v);
    return v;
}

static uint64_t take_u64(cursor *c) {
    uint64_t v = 0;
    const uint8_t *p = take(c, sizeof v);
    if (p) memcpy(&v, p, sizeof v);
    return v;
}

static gguf_text take_text(cursor *c) {
    const uint64_t n = take_u64(c);
    const uint8_t *p = take(c, n);
    return (gguf_text){ (const char *)p, p ? (size_t)n : 0 };
}

const uint8_t *gguf_next_string(const uint8_t *at, gguf_text *out) {
    uint64_t n;
    memcpy(&n, at, sizeof n);
    *out = (gguf_text){ (const char *)at + sizeof n, (size_t)n };
    return at + sizeof n + n;
}

static void skip_items(cursor *c, gguf_type type, uint64_t count) {
    if (type == GGUF_STRING) {
        for (uint64_t i = 0; i < count && !c->bad; i++) take_text(c);
    } else if (count > (uint64_t)(c->end - c->at) / type_sizes[type]) {
        c->bad = 1;
    } else {
        take(c, count * type_sizes[type]);
    }
}

/* ---- metadata -------------------------------------------------------------------------- */

static int shown(gguf_text t) { return t.len < 200 ? (int)t.len : 200; }

static vox_status damaged(const gguf *g, vox_error *err) {
    return vox_fail(err, VOX_ERR_FORMAT, "%s is cut off or damaged; fetch the file again.", g->tensors.path);
}

static vox_status read_value(gguf *g, cursor *c, vox_error *err) {
    gguf_value *v = &g->values[g->n_values];
    v->entry = c->at;
    v->key = take_text(c);
    uint32_t type = take_u32(c), item = type;
    v->count = 1;
    if (type == GGUF_ARRAY) {
        item = take_u32(c);
        v->count = take_u64(c);
    }
    if (c->bad) return damaged(g, err);
    if (type >= GGUF_TYPES || item >= GGUF_TYPES || item == GGUF_ARRAY)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: the value of %.*s is of a type that does not exist.",
                        g->tensors.path, shown(v->key), v->key.at);
    v->type = (gguf_type)type;
    v->item = (gguf_type)item;
    v->data = c->at;
    skip_items(c, v->item, v->count);
    if (c->bad) return damaged(g, err);
    v->entry_size = (size_t)(c->at - v->entry);
    g->n_values++;
    return VOX_OK;
}

const gguf_value *gguf_find(const gguf *g, const char *key) {
    const size_t n = strlen(key);
    for (size_t i = 0; i < g->n_values; i++)
        if (g->values[i].key.len == n && !memcmp(g->values[i].key.at, key, n)) return &g->values[i];
    return NULL;
}

static int read_integer(gguf_type type, const uint8_t *p, int64_t *out) {
    uint64_t u = 0;
    memcpy(&u, p, type_sizes[type]);      /* little-endian, as all that is read here */
    switch (type) {
    case GGUF_U8: case GGUF_U16: case GGUF_U32: *out = (int64_t)u; return 1;
    case GGUF_I8: *out = (int8_t)u; return 1;
    case GGUF_I16: *out = (int16_t)u; return 1;
    case GGUF_I32: *out = (int32_t)u; return 1;
    case GGUF_U64: case GGUF_I64: *out = (int64_t)u; return type == GGUF_I64 || u <= INT64_MAX;
    default: return 0;
    }
}

int gguf_integer(const gguf *g, const char *key, int64_t *out) {
    const gguf_value *v = gguf_find(g, key);
    return v && v->type != GGUF_ARRAY && v->type != GGUF_STRING && read_integer(v->type, v->data, out);
}

int gguf_number(const gguf *g, const char *key, double *out) {
    const gguf_value *v = gguf_find(g, key);
    int64_t whole;
    float f;
    if (!v) return 0;
    if (v->type == GGUF_F64) {
        memcpy(out, v->data, sizeof *out);
    } else if (v->type == GGUF_F32) {
        memcpy(&f, v->data, sizeof f);
        *out = (double)f;
    } else if (gguf_integer(g, key, &whole)) {
        *out = (double)whole;
    } else {
        return 0;
    }
    return isfinite(*out);
}

int gguf_bool(const gguf *g, const char *key, int *out) {
    const gguf_value *v = gguf_find(g, key);
    if (!v || v->type != GGUF_BOOL) return 0;
    *out = v->data[0] != 0;
    return 1;
}

int gguf_string(const gguf *g, const char *key, gguf_text *out) {
    const gguf_value *v = gguf_find(g, key);
    if (!v || v->type != GGUF_STRING) return 0;
    gguf_next_string(v->data, out);
    return 1;
}

/* ---- tensors --------------------------------------------------------------------------- */

/* Name, shape, type; data is left as an offset in *offset, bytes in *size (0 for unknown types). */
static vox_status read_tensor(const gguf *g, cursor *c, vox_tensor *t, uint64_t *offset, uint64_t *size, vox_error *err) {
    memset(t, 0, sizeof *t);
    const gguf_text name = take_text(c);
    const uint32_t n_dims = take_u32(c);
    if (!c->bad && n_dims > VOX_MAX_DIMS)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: %.*s has too many dimensions.", g->tensors.path, shown(name), name.at);
    t->name = name.at;
    t->name_len = name.len;
    t->n_dims = (int)n_dims;
    t->count = 1;
    for (int i = t->n_dims - 1; i >= 0; i--) {           /* written fastest first */
        const uint64_t n = take_u64(c);
        if (n > (uint64_t)MAX_ELEMENTS || (n && t->count > MAX_ELEMENTS / (int64_t)n))
            return vox_fail(err, VOX_ERR_FORMAT, "%s: the shape of %.*s is malformed.", g->tensors.path, shown(name), name.at);
        t->shape[i] = (int64_t)n;
        t->count *= (int64_t)n;
    }
    const uint32_t number = take_u32(c);
    t->type = weight_type(number < GGUF_INTERLEAVED ? number : number - GGUF_INTERLEAVED);
    t->interleaved = number >= GGUF_INTERLEAVED;
    *offset = take_u64(c);
    *size = 0;
    if (c->bad) return damaged(g, err);
    if (t->type == VOX_WEIGHT_TYPES) return VOX_OK;
    const int64_t block = vox_block_weights(t->type), row = t->n_dims ? t->shape[t->n_dims - 1] : 1;
    if (row % block)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: the rows of %.*s are no whole number of blocks.", g->tensors.path,
                        shown(name), name.at);
    *size = (uint64_t)(t->count / block) * vox_block_bytes(t->type);
    if (!t->interleaved) return VOX_OK;
    if (t->n_dims != 2 || block == 1 || t->shape[0] > INT32_MAX - VOX_PANEL || row > INT32_MAX)
        return vox_fail(err, VOX_ERR_FORMAT, "%s: the shape of %.*s is malformed.", g->tensors.path, shown(name), name.at);
    *size = vox_interleaved_bytes(t->type, (int)t->shape[0], (int)row);
    return VOX_OK;
}

/* `first`: where the list of tensors begins. It is read twice, since their data lies behind it. */
static vox_status read_tensors(gguf *g, cursor *c, uint64_t count, vox_error *err) {
    int64_t alignment = DEFAULT_ALIGNMENT;
    if (gguf_find(g, "general.alignment") &&
        (!gguf_integer(g, "general.alignment", &alignment) || alignment < 1 || alignment > MAX_ALIGNMENT ||
         (alignment & (alignment - 1))))
        return vox_fail(err, VOX_ERR_FORMAT, "%s: general.alignment is no power of two.", g->tensors.path);
    cursor again = *c;
    uint64_t offset, size;
    for (uint64_t i = 0; i < count; i++) {
        vox_status status = read_tensor(g, c, &g->tensors.list[i], &offset, &size, err);
        if (status != VOX_OK) return status;
    }
    const uint8_t *map = g->tensors.map;
    const uint64_t head = (uint64_t)(c->at - map), mask = (uint64_t)alignment - 1;
    const uint64_t start = (head + mask) & ~mask, file = g->tensors.map_size;
    for (uint64_t i = 0; i < count; i++) {
        vox_tensor *t = &g->tensors.list[i];
        read_tensor(g, &again, t, &offset, &size, err);
        if (offset & mask || (t->interleaved && (start + offset) % VOX_LINE) || start > file || offset > file - start || size > file - start - offset)
            return vox_fail(err, VOX_ERR_FORMAT,
                            "%s: %.*s lies outside the file; the download is incomplete or damaged, fetch the file again.",
                            g->tensors.path, t->name_len < 200 ? (int)t->name_len : 200, t->name);
        t->data = map + start + offset;
    }
    g->tensors.n = (size_t)count;
    return VOX_OK;
}

/* ---- opening --------------------------------------------------------------------------- */

static vox_status read_all(gguf *g, vox_error *err) {
    const char *path = g->tensors.path;
    const uint8_t *map = g->tensors.map;
    cursor c = { map, map + g->tensors.map_size, 0 };
    const uint32_t magic = take_u32(&c), version = take_u32(&c);
    if (magic != MAGIC) return vox_fail(err, VOX_ERR_FORMAT, "%s is not a GGUF file, or its download is incomplete.", path);
    if (version != 2 && version != 3)
        return vox_fail(err, VOX_ERR_UNSUPPORTED, "%s: this version of GGUF is not supported, only 2 and 3.", path);
    const uint64_t n_tensors = take_u64(&c), n_values = take_u64(&c);
    /* Each entry takes more than a dozen bytes, so the lists cannot be larger than the file. */
    if (c.bad || n_tensors > g->tensors.map_size / 24 || n_values > g->tensors.map_size / 13) return damaged(g, err);
    g->values = vox_alloc_zero((size_t)n_values, sizeof *g->values);
    g->tensors.list = vox_alloc_zero((size_t)n_tensors, sizeof *g->tensors.list);
    if (!g->values || !g->tensors.list) return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", path);
    vox_status status = VOX_OK;
    for (uint64_t i = 0; i < n_values && status == VOX_OK; i++) status = read_value(g, &c, err);
    return status == VOX_OK ? read_tensors(g, &c, n_tensors, err) : status;
}

vox_status gguf_open(gguf *g, const char *path, vox_error *err) {
    memset(g, 0, sizeof *g);
    vox_status status = vox_tensors_map(&g->tensors, path, 24, err);
    if (status == VOX_OK) status = read_all(g, err);
    if (status != VOX_OK) gguf_close(g);
    return status;
}

void gguf_close(gguf *g) {
    vox_free(g->values);
    vox_tensors_close(&g->tensors);
    memset(g, 0, sizeof *g);
}
