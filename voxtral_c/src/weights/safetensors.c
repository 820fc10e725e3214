#include "safetensors.h"

#include <string.h>

#include "text/json.h"

#define MAX_HEADER ((uint64_t)100 << 20)

/* The type, and the bytes of an element; 0 for types that are not read. */
static vox_weight_type parse_dtype(const json_doc *doc, const json_node *node, size_t *size) {
    static const struct { const char *name; vox_weight_type type; } known[] = {
        { "BF16", VOX_WEIGHT_BF16 }, { "F16", VOX_WEIGHT_F16 }, { "F32", VOX_WEIGHT_F32 },
    };
    char name[16];
    *size = 0;
    if (json_string(doc, node, name, sizeof name) < 0) return VOX_WEIGHT_TYPES;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i].name)) {
            *size = vox_block_bytes(known[i].type);
            return known[i].type;
        }
    return VOX_WEIGHT_TYPES;
}

/* The number of elements, or -1 when a dimension is bad or the product does not fit. */
static int64_t parse_shape(const json_doc *doc, const json_node *node, vox_tensor *t) {
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

static vox_status parse_tensor(vox_tensors *st, const json_doc *doc, const json_node *node,
                               const uint8_t *data, uint64_t data_size, vox_error *err) {
    vox_tensor *t = &st->list[st->n];
    const json_node *offsets = json_member(doc, node, "data_offsets");
    const json_node *first = json_first(doc, offsets), *second = json_next(doc, first);
    int64_t begin, end;
    size_t size;
    int shown = node->key_len < 200 ? (int)node->key_len : 200;
    const char *name = doc->text + node->key;
    memset(t, 0, sizeof *t);
    t->name = name;
    t->name_len = node->key_len;
    t->type = parse_dtype(doc, json_member(doc, node, "dtype"), &size);
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
    st->n++;
    return VOX_OK;
}

static vox_status parse_header(vox_tensors *st, vox_error *err) {
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
        st->list = vox_alloc(members, sizeof *st->list);
        if (!st->list)
            status = vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", st->path);
    }
    for (const json_node *n = json_first(&doc, doc.nodes); n && status == VOX_OK; n = json_next(&doc, n)) {
        if (n->key_len == 12 && !memcmp(doc.text + n->key, "__metadata__", 12)) continue;
        status = parse_tensor(st, &doc, n, bytes + 8 + length, st->map_size - 8 - length, err);
    }
    json_free(&doc);
    return status;
}

vox_status safetensors_open(vox_tensors *st, const char *path, vox_error *err) {
    vox_status status = vox_tensors_map(st, path, 8, err);
    if (status == VOX_OK) status = parse_header(st, err);
    if (status != VOX_OK) vox_tensors_close(st);
    return status;
}
