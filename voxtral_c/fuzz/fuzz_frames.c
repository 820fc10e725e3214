/* fuzz_frames.c - any bytes as framed input */
#include "../cli/frames.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static float samples[FRAME_MAX_PAYLOAD / 2];
    memory_bytes bytes = {data, size, size % 5 * 10};
    frame_reader reader;
    frame f;
    FUZZ_CHECK(frames_open(&reader, source_from_memory(&bytes)));
    frame_status status;
    while ((status = frames_next(&reader, &f)) == FRAME_OK) {
        if (f.type == 'A') {
            frames_to_float(f.payload, f.length / 2, samples);
        } else if (f.type == 'C') {
            frame_config config;
            char err[200] = "";
            int ok = frames_parse_config(f.payload, f.length, &config, err, sizeof err);
            FUZZ_CHECK(ok ? config.interval <= 60 : err[0]);
        }
    }
    FUZZ_CHECK(status != FRAME_BAD || reader.error[0]);
    FUZZ_CHECK(f.length <= FRAME_MAX_PAYLOAD);
    frames_close(&reader);
    return 0;
}
