/* fuzz_tekken.c - any bytes as tekken.json */
#include <string.h>

#include "../src/text/tokenizer.h"
#include "fuzz_file.h"

static void decode_some(const vox_tokenizer *tok) {
    char out[VOX_UTF8_ROOM(4096)];
    vox_utf8 state;
    memset(&state, 0, sizeof state);
    int step = tok->n_vocab / 200 + 1;
    for (int id = -1; id <= tok->n_vocab; id += step) {
        size_t length;
        const char *bytes = vox_tokenizer_bytes(tok, id, &length);
        FUZZ_CHECK(bytes || length == 0);
        if (!bytes || length > 4096) continue;
        size_t n = vox_utf8_push(&state, bytes, length, out);
        FUZZ_CHECK(n < sizeof out && strlen(out) == n);
    }
    vox_utf8_end(&state, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[256] = "";
    vox_error err = {text, sizeof text};
    vox_tokenizer tok;
    memset(&tok, 0, sizeof tok);
    vox_status status = vox_tokenizer_load(&tok, fuzz_file(data, size), &err);
    FUZZ_CHECK(status == VOX_OK || text[0]);
    if (status == VOX_OK) {
        decode_some(&tok);
        vox_tokenizer_free(&tok);
    }
    FUZZ_CHECK(vox_alloc_live() == 0);
    return 0;
}
