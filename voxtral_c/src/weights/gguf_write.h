/* gguf_write.h - the bytes of GGUF's metadata, gathered in memory. */
#ifndef VOX_GGUF_WRITE_H
#define VOX_GGUF_WRITE_H

#include "gguf.h"

enum { GGUF_ALIGNMENT = 32 };

/* The first failed allocation sticks. Freed with vox_free(data). */
typedef struct gguf_bytes {
    uint8_t *data;
    size_t size, capacity;
    uint64_t entries;         /* of metadata */
    int failed;
} gguf_bytes;

void gguf_put(gguf_bytes *b, const void *data, size_t n);
void gguf_put_u32(gguf_bytes *b, uint32_t v);
void gguf_put_u64(gguf_bytes *b, uint64_t v);
void gguf_put_text(gguf_bytes *b, const char *text, size_t n);

/* Key and value. */
void gguf_add_u32(gguf_bytes *b, const char *key, uint32_t v);
void gguf_add_f32(gguf_bytes *b, const char *key, double v);
void gguf_add_bool(gguf_bytes *b, const char *key, int v);
void gguf_add_string(gguf_bytes *b, const char *key, const char *v);
/* A value read from another file, as it is. */
void gguf_add_value(gguf_bytes *b, const gguf_value *v);
/* The beginning of an array, whose items are then put. */
void gguf_add_array(gguf_bytes *b, const char *key, gguf_type item, uint64_t count);

#endif
