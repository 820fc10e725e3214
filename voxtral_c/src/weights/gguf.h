/* gguf.h - a memory-mapped GGUF file, version 2 or 3, with validated metadata and tensor list. */
#ifndef VOX_GGUF_H
#define VOX_GGUF_H

#include "tensors.h"

typedef enum gguf_type {
    GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32, GGUF_BOOL, GGUF_STRING,
    GGUF_ARRAY, GGUF_U64, GGUF_I64, GGUF_F64, GGUF_TYPES
} gguf_type;

/* A piece of the mapping, not NUL-terminated. */
typedef struct gguf_text { const char *at; size_t len; } gguf_text;

typedef struct gguf_value {
    gguf_text key;
    gguf_type type;
    gguf_type item;           /* of an array's items, which are no arrays */
    uint64_t count;           /* items of an array, else 1 */
    const uint8_t *data;      /* all items lie in the file */
    const uint8_t *entry;     /* key, type and value as written, entry_size bytes */
    size_t entry_size;
} gguf_value;

typedef struct gguf {
    vox_tensors tensors;      /* every tensor lies inside the file */
    gguf_value *values;
    size_t n_values;
} gguf;

vox_status gguf_open(gguf *g, const char *path, vox_error *err);
void gguf_close(gguf *g);     /* also of one zeroed or half opened */

const gguf_value *gguf_find(const gguf *g, const char *key);

/* These return 0 if the value is not there, of another type or out of range, else 1. */
int gguf_integer(const gguf *g, const char *key, int64_t *out);
int gguf_number(const gguf *g, const char *key, double *out);    /* whole numbers too */
int gguf_bool(const gguf *g, const char *key, int *out);
int gguf_string(const gguf *g, const char *key, gguf_text *out);

/* The string at `at`, in an array of strings; returns where the next one begins. */
const uint8_t *gguf_next_string(const uint8_t *at, gguf_text *out);

/* Added to the number of a type in blocks whose rows are interleaved (interleave.h), which only this
 * engine writes and reads, for itself. Such a tensor has two dimensions and begins at a whole line. */
enum { GGUF_INTERLEAVED = 1000 };

/* GGUF's number for a type that this engine reads. */
uint32_t gguf_weight_type_number(vox_weight_type type);

#endif
