/* fuzz_wav.c - any bytes as a WAV file, read and resampled */
#include "../cli/resample.h"
#include "../cli/wav.h"
#include "fuzz.h"

enum { RESAMPLED = 8 };           /* one input in so many: a filter takes a while to make */

static void check_range(const float *samples, ptrdiff_t n, float most) {
    for (ptrdiff_t i = 0; i < n; i++) FUZZ_CHECK(samples[i] >= -most && samples[i] <= most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    memory_bytes bytes = {data, size, size % 7 * 100};
    char err[200] = "";
    wav_reader w;
    if (wav_open(&w, source_from_memory(&bytes), NULL, 0, err, sizeof err) != WAV_OK) {
        FUZZ_CHECK(err[0]);
        return 0;
    }
    resampler *r = size % RESAMPLED == 0 ? resampler_new(w.rate) : NULL;
    float block[WAV_BLOCK];
    const float *out;
    uint64_t total = 0, made = 0;
    size_t n;
    while ((n = wav_read(&w, block, WAV_BLOCK)) > 0) {
        check_range(block, (ptrdiff_t)n, 1);
        total += n;
        if (!r) continue;
        ptrdiff_t count = resampler_feed(r, block, n, &out);
        check_range(out, count, 8);
        made += (uint64_t)count;
    }
    FUZZ_CHECK(total == w.frames_read && total <= size);
    if (!r) return 0;
    made += (uint64_t)resampler_finish(r, &out);
    FUZZ_CHECK(made == (total * 16000 + (uint64_t)w.rate - 1) / (uint64_t)w.rate);
    resampler_free(r);
    return 0;
}
