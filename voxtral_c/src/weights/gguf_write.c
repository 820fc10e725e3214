#include "gguf_write.h"

#include <string.h>

static void grow(gguf_bytes *b, size_t n) {
    const size_t capacity = (b->size + n) * 2 + 4096;
    uint8_t *data = vox_alloc(capacity, 1);
    if (!data) {
        b->failed = 1;
        return;
    }
    if (b->size) memcpy(data, b->data, b->size);
    vox_free(b->data);
    b->data = data;
    b->capacity = capacity;
}

void gguf_put(gguf_bytes *b, const void *data, size_t n) {
    if (!b->failed && n > b->capacity - b->size) grow(b, n);
    if (b->failed || !n) return;
    memcpy(b->data + b->size, data, n);
    b->size += n;
}

void gguf_put_u32(gguf_bytes *b, uint32_t v) { gguf_put(b, &v, sizeof v); }

void gguf_put_u64(gguf_bytes *b, uint64_t v) { gguf_put(b, &v, sizeof v); }

void gguf_put_text(gguf_bytes *b, const char *text, size_t n) {
    gguf_put_u64(b, n);
    gguf_put(b, text, n);
}

static void add_key(gguf_bytes *b, const char *key, gguf_type type) {
    gguf_put_text(b, key, strlen(key));
    gguf_put_u32(b, type);
    b->entries++;
}

void gguf_add_value(gguf_bytes *b, const gguf_value *v) {
    gguf_put(b, v->entry, v->entry_size);
    b->entries++;
}

void gguf_add_u32(gguf_bytes *b, const char *key, uint32_t v) {
    add_key(b, key, GGUF_U32);
    gguf_put_u32(b, v);
}

void gguf_add_f32(gguf_bytes *b, const char *key, double v) {
    const float f = (float)v;
    add_key(b, key, GGUF_F32);
    gguf_put(b, &f, sizeof f);
}

void gguf_add_bool(gguf_bytes *b, const char *key, int v) {
    const uint8_t byte = v != 0;
    add_key(b, key, GGUF_BOOL);
    gguf_put(b, &byte, 1);
}

void gguf_add_string(gguf_bytes *b, const char *key, const char *v) {
    add_key(b, key, GGUF_STRING);
    gguf_put_text(b, v, strlen(v));
}

void gguf_add_array(gguf_bytes *b, const char *key, gguf_type item, uint64_t count) {
    add_key(b, key, GGUF_ARRAY);
    gguf_put_u32(b, item);
    gguf_put_u64(b, count);
}
