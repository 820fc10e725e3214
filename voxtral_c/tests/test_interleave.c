/* test_interleave.c - matrices with 16 rows interleaved: where each number lies, and each row back. */
#include <string.h>

#include "../src/machine/base.h"
#include "../src/weights/interleave.h"
#include "check.h"

static const vox_weight_type types[] = { VOX_WEIGHT_Q8_0, VOX_WEIGHT_Q4_K, VOX_WEIGHT_Q5_K, VOX_WEIGHT_Q6_K };
enum { TYPES = sizeof types / sizeof *types, GUARD = 64 };

static uint8_t next(void) {
    static uint32_t s = 1;
    s = s * 1664525u + 1013904223u;
    return (uint8_t)(s >> 24);
}

static uint8_t *bytes(size_t n) {
    uint8_t *p = vox_alloc(n, 1);
    REQUIRE(p != NULL, "no memory");
    for (size_t i = 0; i < n; i++) p[i] = next();
    return p;
}

/* Any bits do, since rows are compared bit for bit; a float16 that is not a number would not. */
static void make_finite(vox_weight_type type, uint8_t *rows, size_t n) {
    const size_t block = vox_block_bytes(type), d = type == VOX_WEIGHT_Q6_K ? offsetof(vox_q6_k, d) : 0;
    for (size_t i = 0; i < n; i += block) {
        rows[i + d + 1] &= 0xbf;
        if (type == VOX_WEIGHT_Q4_K || type == VOX_WEIGHT_Q5_K) rows[i + d + 3] &= 0xbf;
    }
}

static void test_round_trip(vox_weight_type type, int rows, int cols) {
    const size_t row = vox_row_bytes(type, cols), panel = vox_panel_bytes(type, cols);
    const size_t size = vox_interleaved_bytes(type, rows, cols), n = (size_t)cols;
    uint8_t *blocks = bytes(row * (size_t)rows), *data = bytes(size + GUARD), guard[GUARD];
    float *want = vox_alloc(n, sizeof *want), *got = vox_alloc(n, sizeof *got);
    REQUIRE(want && got, "no memory");
    make_finite(type, blocks, row * (size_t)rows);
    memcpy(guard, data + size, GUARD);
    CHECK(size % VOX_LINE == 0 && size == panel * (size_t)((rows + 15) / 16), "%zu bytes", size);
    for (int r = 0; r < rows; r += VOX_PANEL)
        vox_interleave(type, blocks + (size_t)r * row, rows - r < VOX_PANEL ? rows - r : VOX_PANEL, cols, data + (size_t)(r / VOX_PANEL) * panel);
    CHECK(!memcmp(guard, data + size, GUARD), "wrote behind the end");
    int same = 1;
    for (int r = 0; r < (rows + 15) / 16 * 16; r++) {
        vox_interleaved_row(type, data, r, cols, got);
        memset(want, 0, n * sizeof *want);
        if (r < rows) vox_dequantize(type, blocks + (size_t)r * row, want, n);
        for (size_t i = 0; i < n; i++) if (got[i] != want[i]) same = 0;
    }
    CHECK(same, "%s %d x %d: other numbers", vox_weight_type_name(type), rows, cols);
    vox_free(want);
    vox_free(got);
    vox_free(blocks);
    vox_free(data);
}

/* Where one byte of a row's block lies. */
static void test_place(vox_weight_type type, int cols, size_t byte, size_t place) {
    enum { ROW = 5 };
    const size_t row = vox_row_bytes(type, cols), panel = vox_panel_bytes(type, cols);
    uint8_t *blocks = vox_alloc_zero(row, VOX_PANEL), *data = bytes(panel), *zeros = bytes(panel);
    REQUIRE(blocks != NULL, "no memory");
    vox_interleave(type, blocks, VOX_PANEL, cols, zeros);
    blocks[ROW * row + byte] = 77;
    vox_interleave(type, blocks, VOX_PANEL, cols, data);
    for (size_t i = 0; i < panel; i++)
        if ((data[i] ^ zeros[i]) != (i == place ? 77 : 0)) {
            CHECK(0, "%s: byte %zu lies at %zu, not %zu", vox_weight_type_name(type), byte, i, place);
            break;
        }
    vox_free(blocks);
    vox_free(data);
    vox_free(zeros);
}

int main(void) {
    static const int rows[] = { 1, 15, 16, 17, 48, 70 };
    for (int t = 0; t < TYPES; t++)
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
            for (int cols = 256; cols <= 1280; cols += 512) test_round_trip(types[t], rows[r], cols);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int cols = 32; cols <= 352; cols += 32) test_round_trip(VOX_WEIGHT_Q8_0, rows[r], cols);
    test_place(VOX_WEIGHT_Q4_K, 512, 0, 20);
    test_place(VOX_WEIGHT_Q4_K, 512, 144 + 16 + 9, (36 + 4 + 2) * 64 + 21);     /* q[9] of the second block */
    test_place(VOX_WEIGHT_Q5_K, 512, 176 + 4, (44 + 1) * 64 + 20);
    test_place(VOX_WEIGHT_Q6_K, 512, 210 + 208, 32 + 10);                        /* d of the second */
    test_place(VOX_WEIGHT_Q6_K, 768, 2, 2 * 64 + 22);                            /* ql[2] behind three d's */
    test_place(VOX_WEIGHT_Q8_0, 512, 34 * 9, 68 * 64 + 22);                      /* d of the tenth group */
    test_place(VOX_WEIGHT_Q8_0, 352, 34 * 8 + 2 + 31, (68 + 2 + 7) * 64 + 23);   /* q[31] of the ninth of eleven */
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
