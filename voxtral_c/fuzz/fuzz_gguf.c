/* fuzz_gguf.c - any bytes as a GGUF file */
#include <string.h>

#include "../src/weights/config.h"
#include "../src/text/tokenizer.h"
#include "fuzz_file.h"

/* What opening promises: each tensor lies in the file, and all of it can be read. */
static void read_tensor(const gguf *g, const vox_tensor *t) {
    const uint8_t *map = g->tensors.map;
    FUZZ_CHECK(t->n_dims >= 0 && t->n_dims <= VOX_MAX_DIMS && t->count >= 0);
    FUZZ_CHECK(t->data >= map && t->data <= map + g->tensors.map_size);
    if (t->type == VOX_WEIGHT_TYPES || t->count == 0) return;
    float values[256], sum = 0;
    const int64_t n = vox_block_weights(t->type);
    vox_tensor_read(t, 0, n, values);
    for (int64_t i = 0; i < n; i++) sum += values[i];
    vox_tensor_read(t, t->count - n, n, values);
    for (int64_t i = 0; i < n; i++) sum += values[i];
    volatile float used = sum;
    (void)used;
}

static void read_model(const gguf *g) {
    char text[256] = "";
    vox_error err = {text, sizeof text};
    vox_config config;
    vox_tokenizer tokenizer;
    FUZZ_CHECK(vox_config_from_gguf(&config, g, &err) == VOX_OK || text[0]);
    if (vox_tokenizer_from_gguf(&tokenizer, g, &err) != VOX_OK) return;
    for (int id = 0; id < tokenizer.n_vocab; id++) {
        size_t n;
        const char *bytes = vox_tokenizer_bytes(&tokenizer, id, &n);
        FUZZ_CHECK(!bytes == !n && n <= VOX_MAX_TOKEN_BYTES);
    }
    vox_tokenizer_free(&tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[256] = "";
    vox_error err = {text, sizeof text};
    gguf g;
    vox_status status = gguf_open(&g, fuzz_file(data, size), &err);
    FUZZ_CHECK(status == VOX_OK || text[0]);
    if (status == VOX_OK) {
        for (size_t i = 0; i < g.tensors.n; i++) read_tensor(&g, &g.tensors.list[i]);
        read_model(&g);
    }
    gguf_close(&g);
    FUZZ_CHECK(vox_alloc_live() == 0);
    return 0;
}
