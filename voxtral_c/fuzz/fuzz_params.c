/* fuzz_params.c - any bytes as params.json */
#include <string.h>

#include "../src/weights/config.h"
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[256] = "";
    vox_error err = {text, sizeof text};
    vox_config config;
    memset(&config, 0, sizeof config);
    vox_status status = vox_config_load(&config, fuzz_file(data, size), &err);
    FUZZ_CHECK(status == VOX_OK || text[0]);
    if (status == VOX_OK) {
        FUZZ_CHECK(config.encoder.dim > 0 && config.decoder.dim > 0 && config.vocab_size > 0);
        FUZZ_CHECK(config.encoder.window > 0 && config.decoder.window > 0);
        FUZZ_CHECK(config.samples_per_token == config.mel_hop * 2 * config.downsample);
    }
    FUZZ_CHECK(vox_alloc_live() == 0);
    return 0;
}
