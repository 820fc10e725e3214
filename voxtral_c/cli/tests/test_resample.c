/* test_resample.c - what passes, what must not, and that pieces do not matter */
#include <math.h>
#include <string.h>

#include "../../tests/check.h"
#include "../resample.h"

static const double TAU = 6.28318530717958647692;

/* Resample `in` in pieces of the given size into out; the number of samples. */
static size_t convert(int rate, const float *in, size_t n, size_t piece, float *out, size_t most) {
    resampler *r = resampler_new(rate);
    const float *part;
    size_t total = 0;
    REQUIRE(r != NULL, "rate %d", rate);
    for (size_t at = 0; at <= n; at += piece) {
        size_t size = n - at < piece ? n - at : piece;
        ptrdiff_t got = at < n ? resampler_feed(r, in + at, size, &part) : 0;
        REQUIRE(got >= 0 && total + (size_t)got <= most, "%td", got);
        if (got) memcpy(out + total, part, (size_t)got * sizeof *out);
        total += (size_t)got;
    }
    ptrdiff_t got = resampler_finish(r, &part);
    REQUIRE(got >= 0 && total + (size_t)got <= most, "%td", got);
    if (got) memcpy(out + total, part, (size_t)got * sizeof *out);
    resampler_free(r);
    return total + (size_t)got;
}

static float *tone(int rate, double hertz, size_t n) {
    float *x = malloc(n * sizeof *x);
    REQUIRE(x != NULL, "memory");
    for (size_t i = 0; i < n; i++) x[i] = (float)(0.5 * sin(TAU * hertz * (double)i / rate));
    return x;
}

/* A tone in the pass band comes out as the same tone at 16 kHz, in the same place. */
static void test_tone(int rate, double hertz, double least_db) {
    size_t n = (size_t)rate, most = 20000;
    float *in = tone(rate, hertz, n), *out = malloc(most * sizeof *out);
    REQUIRE(out != NULL, "memory");
    size_t got = convert(rate, in, n, 4096, out, most);
    CHECK(got == 16000, "rate %d: %zu samples", rate, got);
    double error = 0, power = 0;
    for (size_t i = 1000; i < 15000; i++) {
        double expected = 0.5 * sin(TAU * hertz * (double)i / 16000);
        error += (out[i] - expected) * (out[i] - expected);
        power += expected * expected;
    }
    double db = 10 * log10(power / (error + 1e-30));
    CHECK(db > least_db, "rate %d, %g Hz: %.1f dB", rate, hertz, db);
    free(in);
    free(out);
}

/* What lies above 8 kHz is gone and does not come back as something else. */
static void test_alias(int rate, double hertz) {
    size_t n = (size_t)rate, most = 20000;
    float *in = tone(rate, hertz, n), *out = malloc(most * sizeof *out);
    REQUIRE(out != NULL, "memory");
    size_t got = convert(rate, in, n, n, out, most);
    double power = 0;
    for (size_t i = 1000; i + 1000 < got; i++) power += (double)out[i] * out[i];
    double db = 10 * log10(power / (double)(got - 2000) / 0.125 + 1e-30);
    CHECK(db < -80, "rate %d, %g Hz: %.1f dB", rate, hertz, db);
    free(in);
    free(out);
}

static void test_pieces(int rate) {
    size_t n = 5000, most = 100000, pieces[] = {1, 37, 1280};
    float *in = tone(rate, 300, n), *whole = malloc(most * 4), *cut = malloc(most * 4);
    REQUIRE(whole && cut, "memory");
    size_t total = convert(rate, in, n, n, whole, most);
    size_t expected = (n * 16000 + (size_t)rate - 1) / (size_t)rate;
    CHECK(total == expected, "rate %d: %zu instead of %zu", rate, total, expected);
    for (size_t i = 0; i < 3; i++) {
        size_t got = convert(rate, in, n, pieces[i], cut, most);
        CHECK(got == total && !memcmp(whole, cut, got * sizeof *cut), "rate %d, pieces of %zu",
              rate, pieces[i]);
    }
    free(in);
    free(whole);
    free(cut);
}

static void test_constant(int rate) {
    static float in[4000], out[70000];
    for (int i = 0; i < 4000; i++) in[i] = 0.75f;
    size_t got = convert(rate, in, 4000, 4000, out, 70000);
    double worst = 0;
    for (size_t i = got / 3; i < got / 2; i++) worst = fmax(worst, fabs(out[i] - 0.75));
    CHECK(worst < 1e-5, "rate %d: off by %g", rate, worst);
}

int main(void) {
    static const int rates[] = {8000, 11025, 22050, 32000, 44100, 48000, 96000, 44099, 1000};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        test_pieces(rates[i]);
        test_constant(rates[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        test_tone(rates[i], 440, 80);
        test_tone(rates[i], rates[i] < 16000 ? rates[i] * 0.44 : 7000, 75);
    }
    test_alias(44100, 9000);
    test_alias(44100, 15000);
    test_alias(48000, 8800);
    test_alias(96000, 20000);
    CHECK(resampler_new(999) == NULL && resampler_new(400000) == NULL, "rates out of range");
    return check_summary();
}
