/* test_quants.c - blocks of quantised weights: how far they are from what they stand for, and
 * that no input upsets them. That they are read as GGUF means them: tests/engine/test_gguf.py. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "../src/machine/base.h"
#include "../src/weights/quants.h"
#include "check.h"

enum { N = 256 * 40 };

static uint64_t seed = 88172645463325252u;

static double uniform(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* About normal: the sum of twelve. */
static float noise(void) {
    double sum = -6;
    for (int i = 0; i < 12; i++) sum += uniform();
    return (float)sum;
}

static float x[N], y[N];
static uint8_t blocks[N * 4];

/* Root of the mean squared difference, relative to that of x. */
static double round_trip(vox_weight_type type) {
    double difference = 0, size = 0;
    vox_quantize(type, x, blocks, N);
    vox_dequantize(type, blocks, y, N);
    for (int i = 0; i < N; i++) {
        difference += ((double)y[i] - x[i]) * ((double)y[i] - x[i]);
        size += (double)x[i] * x[i];
    }
    return sqrt(difference / size);
}

/* Of normally distributed weights; what the format can give is not much less. */
static void test_error(void) {
    static const double bounds[VOX_WEIGHT_TYPES] = {
        [VOX_WEIGHT_F32] = 1e-12, [VOX_WEIGHT_BF16] = 0.002, [VOX_WEIGHT_F16] = 0.0003, [VOX_WEIGHT_Q8_0] = 0.0056,
        [VOX_WEIGHT_Q6_K] = 0.0175, [VOX_WEIGHT_Q5_K] = 0.0365, [VOX_WEIGHT_Q4_K] = 0.0725,
    };
    for (int type = 0; type < VOX_WEIGHT_TYPES; type++)
        for (int shift = 0; shift < 3; shift++) {
            for (int i = 0; i < N; i++) x[i] = 0.02f * (noise() + (float)shift);
            const double error = round_trip((vox_weight_type)type);
            CHECK(error < bounds[type], "%s, mean %d: %g", vox_weight_type_name((vox_weight_type)type), shift, error);
        }
}

/* Better than the plain way, the range of each group cut into equal steps. */
static void test_search(void) {
    for (int i = 0; i < N; i++) x[i] = 0.02f * noise();
    double plain = 0, ours = 0;
    round_trip(VOX_WEIGHT_Q4_K);
    for (int g = 0; g < N; g += 32) {
        float low = 0, high = 0;
        for (int i = g; i < g + 32; i++) {
            low = fminf(low, x[i]);
            high = fmaxf(high, x[i]);
        }
        for (int i = g; i < g + 32; i++) {
            const double step = ((double)high - low) / 15, v = low + step * nearbyint((x[i] - (double)low) / step);
            plain += (v - x[i]) * (v - x[i]);
            ours += ((double)y[i] - x[i]) * ((double)y[i] - x[i]);
        }
    }
    CHECK(ours < 0.9 * plain, "squared error %g, plain %g", ours, plain);
}

static void test_half(void) {
    int wrong = 0;
    for (uint32_t h = 0; h < 0x10000; h++) {
        const float f = vox_f16_to_f32((uint16_t)h);
        const uint16_t back = vox_f32_to_f16(f);
        wrong += isnan(f) ? (back & 0x7fff) <= 0x7c00 : back != h;
    }
    CHECK(wrong == 0, "%d of the float16 numbers do not come back", wrong);
    CHECK(vox_f32_to_f16(1.0f + 1.0f / 2048) == 0x3c00 && vox_f32_to_f16(1.0f + 3.0f / 2048) == 0x3c02, "ties to even");
    CHECK(vox_f32_to_f16(65519.0f) == 0x7bff && vox_f32_to_f16(65520.0f) == 0x7c00, "the largest");
    CHECK(vox_f32_to_f16(-1e-9f) == 0x8000 && vox_f32_to_f16(FLT_MAX) == 0x7c00, "beyond the ends");
}

/* Blocks of one value, among them none, come back as it; nothing that is a number is read back as
 * none; others upset nobody. */
static void test_strange(void) {
    static const float values[] = { 0, 1, -1, 1e-30f, -0.02f, 300, -60000 };
    static const float worst[] = { NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MIN / 4 };
    for (int type = VOX_WEIGHT_Q8_0; type < VOX_WEIGHT_TYPES; type++) {
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            double most = 0;
            for (int i = 0; i < N; i++) x[i] = values[v];
            vox_quantize((vox_weight_type)type, x, blocks, N);
            vox_dequantize((vox_weight_type)type, blocks, y, N);
            for (int i = 0; i < N; i++) most = check_most(most, fabs((double)y[i] - x[i]));
            CHECK(most <= 0.02 * fabs((double)values[v]) + 1e-9, "%s of %g: off by %g",
                  vox_weight_type_name((vox_weight_type)type), (double)values[v], most);
        }
        for (int i = 0; i < N; i++) x[i] = i % 7 ? noise() : worst[(size_t)(uniform() * 6)];
        vox_quantize((vox_weight_type)type, x, blocks, N);
        vox_dequantize((vox_weight_type)type, blocks, y, N);
    }
    for (int i = 0; i < N; i++) x[i] = (float)pow(10, 4 * uniform() - 4) * noise();
    for (int type = VOX_WEIGHT_Q8_0; type < VOX_WEIGHT_TYPES; type++) {
        round_trip((vox_weight_type)type);
        int bad = 0;
        for (int i = 0; i < N; i++) bad += !isfinite(y[i]);
        CHECK(bad == 0, "%s: %d are no numbers", vox_weight_type_name((vox_weight_type)type), bad);
    }
}

/* Rows lie at any address. */
static void test_unaligned(void) {
    for (int i = 0; i < N; i++) x[i] = noise();
    for (int type = 0; type < VOX_WEIGHT_TYPES; type++) {
        static float again[256];
        vox_quantize((vox_weight_type)type, x, blocks, 256);
        vox_dequantize((vox_weight_type)type, blocks, y, 256);
        vox_quantize((vox_weight_type)type, x, blocks + 1, 256);
        vox_dequantize((vox_weight_type)type, blocks + 1, again, 256);
        CHECK(!memcmp(y, again, sizeof again), "%s", vox_weight_type_name((vox_weight_type)type));
    }
}

int main(void) {
    test_error();
    test_search();
    test_half();
    test_strange();
    test_unaligned();
    return check_summary();
}
