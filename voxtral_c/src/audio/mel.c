#include "mel.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

enum { MAX_FACTOR = 61 };

/* ---- tables ---------------------------------------------------------------------------- */

/* The Slaney scale: linear below 1 kHz, logarithmic above. */
static double hz_to_mel(double f) {
    return f >= 1000.0 ? 15.0 + log(f / 1000.0) * 27.0 / log(6.4) : 3.0 * f / 200.0;
}

static double mel_to_hz(double m) {
    return m >= 15.0 ? 1000.0 * exp(log(6.4) / 27.0 * (m - 15.0)) : 200.0 * m / 3.0;
}

/* Triangles of equal area between neighbouring points of the scale. */
static void fill_filters(vox_mel_plan *p) {
    const double top = hz_to_mel(VOX_SAMPLE_RATE / 2.0), bin = (double)VOX_SAMPLE_RATE / p->window;
    for (int m = 0; m < p->n_mels; m++) {
        const double low = mel_to_hz(top * m / (p->n_mels + 1)), mid = mel_to_hz(top * (m + 1) / (p->n_mels + 1));
        const double high = mel_to_hz(top * (m + 2) / (p->n_mels + 1));
        float *row = p->filters + (size_t)m * (size_t)p->n_bins;
        for (int k = 0; k < p->n_bins; k++) {
            const double f = k * bin, up = (f - low) / (mid - low), down = (high - f) / (high - mid);
            row[k] = (float)(fmax(0.0, fmin(up, down)) * (2.0 / (high - low)));
        }
    }
}

static void find_bands(vox_mel_plan *p) {
    for (int m = 0; m < p->n_mels; m++) {
        const float *row = p->filters + (size_t)m * (size_t)p->n_bins;
        int first = p->n_bins, last = 0;
        for (int k = 0; k < p->n_bins; k++)
            if (row[k] != 0.0f) {
                if (k < first) first = k;
                last = k + 1;
            }
        p->band[2 * m] = first < last ? first : 0;
        p->band[2 * m + 1] = last;
    }
}

/* Prime factors of half the window; 0 if one is too large for the transform. */
static int factorise(vox_mel_plan *p) {
    int n = p->window / 2, count = 0;
    for (int f = 2; n > 1; f++)
        for (; n % f == 0; n /= f) {
            if (f > MAX_FACTOR) return 0;
            p->factors[count++] = f;
        }
    return 1;
}

vox_status vox_mel_plan_init(vox_mel_plan *p, const vox_config *c, const float *filters) {
    memset(p, 0, sizeof *p);
    p->n_mels = c->n_mels;
    p->window = c->mel_window;
    p->hop = c->mel_hop;
    p->n_bins = p->window / 2 + 1;
    p->floor = c->mel_max - 8.0f;
    if (!factorise(p)) return VOX_ERR_UNSUPPORTED;
    const size_t n = (size_t)p->window;
    p->hann = vox_alloc(n, sizeof *p->hann);
    p->filters = vox_alloc((size_t)p->n_mels * (size_t)p->n_bins, sizeof *p->filters);
    p->band = vox_alloc((size_t)p->n_mels * 2, sizeof *p->band);
    p->twiddles = vox_alloc(2 * n, sizeof *p->twiddles);
    p->work = vox_alloc(4 * n, sizeof *p->work);
    if (!p->hann || !p->filters || !p->band || !p->twiddles || !p->work) {
        vox_mel_plan_free(p);
        return VOX_ERR_MEMORY;
    }
    for (int i = 0; i < p->window; i++) {
        p->hann[i] = (float)(0.5 - 0.5 * cos(2.0 * PI * i / p->window));
        p->twiddles[2 * i] = cos(2.0 * PI * i / p->window);
        p->twiddles[2 * i + 1] = -sin(2.0 * PI * i / p->window);
    }
    if (filters) memcpy(p->filters, filters, (size_t)p->n_mels * (size_t)p->n_bins * sizeof *filters);
    else fill_filters(p);
    find_bands(p);
    return VOX_OK;
}

void vox_mel_plan_free(vox_mel_plan *p) {
    vox_free(p->hann);
    vox_free(p->filters);
    vox_free(p->band);
    vox_free(p->twiddles);
    vox_free(p->work);
    memset(p, 0, sizeof *p);
}

/* ---- one frame ------------------------------------------------------------------------- */

/* Complex transform of length n of in[0], in[stride], ...: splits it by the first factor r into r
 * transforms of length m, then combines these. Numbers are pairs of doubles. */
static void transform(const vox_mel_plan *p, const int *factors, int n, int stride, const double *in, double *out) {
    if (n == 1) {
        out[0] = in[0];
        out[1] = in[1];
        return;
    }
    const int r = factors[0], m = n / r, step = p->window / n;
    for (int j = 0; j < r; j++)
        transform(p, factors + 1, m, stride * r, in + 2 * j * stride, out + 2 * j * m);
    for (int k = 0; k < m; k++) {
        double sums[2 * MAX_FACTOR];
        for (int q = 0; q < r; q++) {
            double re = 0, im = 0;
            int turn = 0;     /* j * (k + q * m) modulo n */
            for (int j = 0; j < r; j++) {
                const double *w = p->twiddles + 2 * (turn * step), *x = out + 2 * (j * m + k);
                re += x[0] * w[0] - x[1] * w[1];
                im += x[0] * w[1] + x[1] * w[0];
                turn = (turn + k + q * m) % n;
            }
            sums[2 * q] = re;
            sums[2 * q + 1] = im;
        }
        for (int q = 0; q < r; q++) {
            out[2 * (q * m + k)] = sums[2 * q];
            out[2 * (q * m + k) + 1] = sums[2 * q + 1];
        }
    }
}

/* Squared magnitudes of the real transform, from a complex one of half the length whose input
 * holds even samples as real and odd ones as imaginary parts. */
static void power_spectrum(const vox_mel_plan *p, const float *samples, double *power) {
    const int half = p->window / 2;
    double *z = p->work, *spectrum = p->work + p->window;
    for (int i = 0; i < p->window; i++) z[i] = (double)(samples[i] * p->hann[i]);
    transform(p, p->factors, half, 1, z, spectrum);
    for (int k = 0; k <= half; k++) {
        const double *a = spectrum + 2 * (k % half), *b = spectrum + 2 * ((half - k) % half);
        const double even_re = 0.5 * (a[0] + b[0]), even_im = 0.5 * (a[1] - b[1]);
        const double odd_re = 0.5 * (a[1] + b[1]), odd_im = 0.5 * (b[0] - a[0]);
        const double *w = p->twiddles + 2 * k;
        const double re = even_re + odd_re * w[0] - odd_im * w[1];
        const double im = even_im + odd_re * w[1] + odd_im * w[0];
        power[k] = re * re + im * im;
    }
}

static void make_frame(const vox_mel_plan *p, const float *samples, float *frame) {
    double *power = p->work + 2 * (size_t)p->window;
    power_spectrum(p, samples, power);
    for (int m = 0; m < p->n_mels; m++) {
        const float *row = p->filters + (size_t)m * (size_t)p->n_bins;
        double sum = 0;
        for (int k = p->band[2 * m]; k < p->band[2 * m + 1]; k++) sum += (double)row[k] * power[k];
        float v = log10f((float)sum > 1e-10f ? (float)sum : 1e-10f);
        if (v < p->floor) v = p->floor;
        frame[m] = (v + 4.0f) / 4.0f;
    }
}

/* ---- the stream ------------------------------------------------------------------------ */

vox_status vox_mel_init(vox_mel *mel, const vox_mel_plan *plan) {
    memset(mel, 0, sizeof *mel);
    mel->samples = vox_alloc((size_t)plan->window + 1, sizeof *mel->samples);
    if (!mel->samples) return VOX_ERR_MEMORY;
    vox_mel_reset(mel, plan);
    return VOX_OK;
}

void vox_mel_free(vox_mel *mel) {
    vox_free(mel->samples);
    memset(mel, 0, sizeof *mel);
}

/* The first half of the first window is the reflection, made when what it mirrors has come. */
void vox_mel_reset(vox_mel *mel, const vox_mel_plan *plan) {
    memset(mel->samples, 0, ((size_t)plan->window + 1) * sizeof *mel->samples);
    mel->fill = plan->window / 2;
    mel->started = 0;
}

void vox_mel_copy(vox_mel *mel, const vox_mel *from, const vox_mel_plan *plan) {
    memcpy(mel->samples, from->samples, ((size_t)plan->window + 1) * sizeof *mel->samples);
    mel->fill = from->fill;
    mel->started = from->started;
}

int vox_mel_push(vox_mel *mel, const vox_mel_plan *p, const float *samples, size_t n, size_t *used,
                 float *frames, int max_frames) {
    const int half = p->window / 2;
    int made = 0;
    *used = 0;
    for (;;) {
        /* Sample 0 is the centre of the first window; its reflection needs one sample more. */
        const int need = mel->started ? p->window : p->window + 1;
        if (mel->fill < need) {
            size_t take = (size_t)(need - mel->fill);
            if (take > n - *used) take = n - *used;
            memcpy(mel->samples + mel->fill, samples + *used, take * sizeof *samples);
            mel->fill += (int)take;
            *used += take;
        }
        if (mel->fill < need || made == max_frames) return made;
        if (!mel->started) {
            for (int i = 1; i <= half; i++) mel->samples[half - i] = mel->samples[half + i];
            mel->started = 1;
        }
        make_frame(p, mel->samples, frames + (size_t)made++ * (size_t)p->n_mels);
        mel->fill -= p->hop;
        memmove(mel->samples, mel->samples + p->hop, (size_t)mel->fill * sizeof *mel->samples);
    }
}
