/* fuzz_safetensors.c - any bytes as consolidated.safetensors */
#include <string.h>

#include "../src/weights/safetensors.h"
#include "fuzz_file.h"

/* What opening promises: each tensor lies in the file, and all of it can be read. */
static void read_tensor(const vox_tensors *st, const vox_tensor *t) {
    const uint8_t *map = st->map;
    FUZZ_CHECK(t->n_dims >= 0 && t->n_dims <= VOX_MAX_DIMS && t->count >= 0);
    FUZZ_CHECK(t->data >= map && t->data <= map + st->map_size);
    if (t->type == VOX_WEIGHT_TYPES) return;
    float values[16], sum = 0;
    int64_t n = t->count < 16 ? t->count : 16;
    vox_tensor_read(t, 0, n, values);
    for (int64_t i = 0; i < n; i++) sum += values[i];
    vox_tensor_read(t, t->count - n, n, values);
    for (int64_t i = 0; i < n; i++) sum += values[i];
    volatile float used = sum;
    (void)used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[256] = "";
    vox_error err = {text, sizeof text};
    vox_tensors st;
    memset(&st, 0, sizeof st);
    vox_status status = safetensors_open(&st, fuzz_file(data, size), &err);
    FUZZ_CHECK(status == VOX_OK || text[0]);
    if (status == VOX_OK) {
        for (size_t i = 0; i < st.n; i++) read_tensor(&st, &st.list[i]);
        vox_tensors_find(&st, "norm.weight");
    }
    vox_tensors_close(&st);
    FUZZ_CHECK(vox_alloc_live() == 0);
    return 0;
}
