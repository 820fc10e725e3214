/* dequantize.c - dequantize TYPE FILE: blocks of that type as raw float32 on standard output, for
 * tests that hold them against another reader. */
#include <stdio.h>
#include <string.h>

#include "../src/machine/base.h"
#include "../src/weights/quants.h"

int main(int argc, char **argv) {
    char *data;
    size_t size;
    int type = 0;
    if (argc != 3) return 2;
    while (type < VOX_WEIGHT_TYPES && strcmp(argv[1], vox_weight_type_name((vox_weight_type)type)) != 0) type++;
    if (type == VOX_WEIGHT_TYPES || vox_read_file(argv[2], (size_t)1 << 30, &data, &size, NULL) != VOX_OK) return 2;
    const size_t n = size / vox_block_bytes((vox_weight_type)type) * (size_t)vox_block_weights((vox_weight_type)type);
    float *out = vox_alloc(n, sizeof *out);
    if (!out) return 1;
    vox_dequantize((vox_weight_type)type, data, out, n);
    const int failed = fwrite(out, sizeof *out, n, stdout) != n;
    vox_free(out);
    vox_free(data);
    return failed;
}
