/* resample.c - from any sample rate to 16 kHz
 *
 * A Kaiser-windowed sinc, tabulated at PHASES positions between two samples and interpolated
 * linearly between them. The place of each output sample is kept as an integer fraction, so any
 * pair of rates works and nothing drifts.
 */
#include "resample.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_RATE = 16000, PHASES = 256, ZERO_CROSSINGS = 64 };

static const double PI = 3.14159265358979323846;
static const double CUTOFF = 0.95;        /* of the lower rate, in the middle of the slope */
static const double KAISER_BETA = 9.0;    /* stop band at about -90 dB */

struct resampler {
    int rate;
    int half;              /* the filter reaches this many input samples to either side */
    float *table;          /* [PHASES + 1][2 * half] */
    float *in;             /* input not yet done with; in[0] is `half` before the first output */
    size_t in_count, in_capacity;
    int64_t fraction;      /* next output's place after in[half - 1], in 1/OUT_RATE samples */
    uint64_t fed, made;
    float *out;
    size_t out_capacity;
};

/* Modified Bessel function of the first kind, order 0. */
static double bessel_i0(double x) {
    double sum = 1, term = 1;
    for (int k = 1; k < 64 && term > 1e-12 * sum; k++) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

static void fill_table(resampler *r) {
    double lower = r->rate < OUT_RATE ? 1.0 : (double)OUT_RATE / r->rate;
    double cutoff = CUTOFF * lower;       /* 1 = half the input rate */
    int taps = 2 * r->half;
    for (int p = 0; p <= PHASES; p++) {
        float *row = r->table + (size_t)p * (size_t)taps;
        double sum = 0;
        for (int t = 0; t < taps; t++) {
            double x = t - (r->half - 1) - (double)p / PHASES;   /* distance in input samples */
            double u = x / r->half;
            double window = fabs(u) < 1 ? bessel_i0(KAISER_BETA * sqrt(1 - u * u)) : 0;
            double arg = PI * cutoff * x;
            double value = window * (fabs(arg) < 1e-9 ? 1 : sin(arg) / arg);
            row[t] = (float)value;
            sum += value;
        }
        for (int t = 0; t < taps; t++) row[t] = (float)(row[t] / sum);
    }
}

resampler *resampler_new(int rate) {
    if (rate < 1000 || rate > 384000) return NULL;
    resampler *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->rate = rate;
    double stretch = rate > OUT_RATE ? (double)rate / OUT_RATE : 1.0;
    r->half = (int)ceil(ZERO_CROSSINGS * stretch);
    r->table = malloc(sizeof *r->table * (PHASES + 1) * 2 * (size_t)r->half);
    r->in_capacity = (size_t)r->half * 4;
    r->in = calloc(r->in_capacity, sizeof *r->in);
    if (!r->table || !r->in) {
        resampler_free(r);
        return NULL;
    }
    r->in_count = (size_t)r->half - 1;    /* silence before the first sample */
    fill_table(r);
    return r;
}

void resampler_free(resampler *r) {
    if (!r) return;
    free(r->table);
    free(r->in);
    free(r->out);
    free(r);
}

static int reserve(float **buffer, size_t *capacity, size_t n) {
    if (n <= *capacity) return 1;
    float *grown = realloc(*buffer, sizeof **buffer * (n + n / 2));
    if (!grown) return 0;
    *buffer = grown;
    *capacity = n + n / 2;
    return 1;
}

static float one_sample(const resampler *r, const float *window, int64_t fraction) {
    int taps = 2 * r->half;
    double place = (double)fraction * PHASES / OUT_RATE;
    int phase = (int)place;
    float between = (float)(place - phase);
    const float *low = r->table + (size_t)phase * (size_t)taps, *high = low + taps;
    double sum = 0;
    for (int t = 0; t < taps; t++) sum += window[t] * (low[t] + between * (high[t] - low[t]));
    return (float)sum;
}

/* Make every output sample whose window is complete, at most until `limit` have been made. */
static ptrdiff_t produce(resampler *r, uint64_t limit, const float **out) {
    size_t taps = 2 * (size_t)r->half, count = 0, at = 0;
    size_t most = (size_t)(((uint64_t)r->in_count * OUT_RATE) / (uint64_t)r->rate) + 2;
    if (!reserve(&r->out, &r->out_capacity, most)) return -1;
    while (at + taps <= r->in_count && r->made < limit && count < most) {
        r->out[count++] = one_sample(r, r->in + at, r->fraction);
        r->made++;
        r->fraction += r->rate;
        at += (size_t)(r->fraction / OUT_RATE);
        r->fraction %= OUT_RATE;
    }
    memmove(r->in, r->in + at, (r->in_count - at) * sizeof *r->in);
    r->in_count -= at;
    *out = r->out;
    return (ptrdiff_t)count;
}

static int append(resampler *r, const float *samples, size_t n) {
    if (!reserve(&r->in, &r->in_capacity, r->in_count + n)) return 0;
    if (samples) memcpy(r->in + r->in_count, samples, n * sizeof *r->in);
    else memset(r->in + r->in_count, 0, n * sizeof *r->in);
    r->in_count += n;
    return 1;
}

ptrdiff_t resampler_feed(resampler *r, const float *samples, size_t n, const float **out) {
    if (!append(r, samples, n)) return -1;
    r->fed += n;
    return produce(r, UINT64_MAX, out);
}

ptrdiff_t resampler_finish(resampler *r, const float **out) {
    if (!append(r, NULL, 2 * (size_t)r->half)) return -1;
    uint64_t total = (r->fed * OUT_RATE + (uint64_t)r->rate - 1) / (uint64_t)r->rate;
    return produce(r, total, out);
}
