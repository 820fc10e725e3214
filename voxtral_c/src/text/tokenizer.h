/* tokenizer.h - tekken.json or GGUF metadata: the bytes of each token, and text out of a stream of such bytes. */
#ifndef VOX_TOKENIZER_H
#define VOX_TOKENIZER_H

#include "weights/gguf.h"

/* Special tokens the decoder uses; the same in every Tekken vocabulary of this model. */
enum { VOX_BOS = 1, VOX_EOS = 2, VOX_STREAMING_PAD = 32, VOX_STREAMING_WORD = 33 };

enum { VOX_MAX_TOKEN_BYTES = 4096 };
#define VOX_MAX_TEKKEN ((size_t)256 << 20)    /* bytes of a tekken.json */

typedef struct vox_tokenizer {
    int n_special;            /* ids below are special and never printed */
    int n_vocab;              /* ids from here on do not exist */
    int delay_ms;             /* transcription_delay_ms */
    int n_left_pad;           /* streaming_n_left_pad_tokens */
    uint32_t *offsets;        /* n_vocab - n_special + 1: where each token's bytes begin */
    char *bytes;
} vox_tokenizer;

vox_status vox_tokenizer_load(vox_tokenizer *tok, const char *path, vox_error *err);
vox_status vox_tokenizer_from_gguf(vox_tokenizer *tok, const gguf *g, vox_error *err);
void vox_tokenizer_free(vox_tokenizer *tok);

/* NULL and *len = 0 for special and unknown ids. */
const char *vox_tokenizer_bytes(const vox_tokenizer *tok, int id, size_t *len);

/* Turns bytes into whole UTF-8 characters: an incomplete tail waits for its rest, what is not
 * UTF-8 (and NUL, which would end a C string) becomes U+FFFD. */
typedef struct vox_utf8 {
    unsigned char tail[4];
    int n;
} vox_utf8;

/* A writer's room: each input byte makes at most 3 output bytes, the tail at most 3 * 3 more. */
#define VOX_UTF8_ROOM(len) (3 * (len) + 10)

/* Writes whole characters and a NUL to out (VOX_UTF8_ROOM(len) bytes); returns the length. */
size_t vox_utf8_push(vox_utf8 *u, const char *bytes, size_t len, char *out);
/* The text ends: a waiting tail becomes U+FFFD. Same room and result as push of 0 bytes. */
size_t vox_utf8_end(vox_utf8 *u, char *out);

#endif
