/* input_mic.c - a microphone's sound, brought to 16 kHz */
#include <string.h>

#include "exit_codes.h"
#include "input.h"
#include "interrupt.h"
#include "microphone.h"
#include "process.h"
#include "resample.h"

enum { BLOCK = 4096, POLL_MS = 10 };

static const double GONE_SECONDS = 3;     /* without any sound the device is taken for gone */
static const double ZERO_SECONDS = 3;     /* of exact zeros: a microphone that may not be heard */

static const char zero_advice[] =
    "The microphone gives nothing but silence: is it muted, or is this terminal not allowed to "
    "use it (macOS: System Settings, Privacy & Security, Microphone)?";

typedef struct watch {
    double last_sound;            /* when samples last came */
    double zeros;                 /* seconds of exact zeros since the start; -1 = told or heard */
    int overflow_told;
} watch;

static int watch_samples(input *in, watch *w, const float *samples, size_t n) {
    if (microphone_overflows(in->microphone) && !w->overflow_told) {
        w->overflow_told = 1;
        if (!input_warn(in, "overflow", "Sound from the microphone was lost: this machine is too "
                        "slow or too busy.")) return 0;
    }
    if (w->zeros < 0) return 1;
    for (size_t i = 0; i < n; i++) {
        if (samples[i] == 0) continue;
        w->zeros = -1;
        return 1;
    }
    w->zeros += (double)n / microphone_rate(in->microphone);
    if (w->zeros < ZERO_SECONDS) return 1;
    w->zeros = -1;
    return input_warn(in, "silent_microphone", "%s", zero_advice);
}

static int push(input *in, resampler *resample, const float *samples, size_t n) {
    const float *out = samples;
    ptrdiff_t count = (ptrdiff_t)n;
    if (resample) count = resampler_feed(resample, samples, n, &out);
    if (count < 0) return input_fail(in, EXIT_FAILED, "memory", "Memory is out."), 0;
    return count == 0 || audio_queue_push(in->queue, out, (size_t)count);
}

/* Move sound until the program is to end. */
static void move(input *in, resampler *resample) {
    float block[BLOCK];
    watch w = {process_seconds(), 0, 0};
    for (;;) {
        int stop = interrupt_sleep(POLL_MS);
        size_t n;
        while ((n = microphone_read(in->microphone, block, BLOCK)) > 0) {
            w.last_sound = process_seconds();
            if (!watch_samples(in, &w, block, n) || !push(in, resample, block, n)) return;
        }
        if (stop) break;
        if (microphone_active(in->microphone) && process_seconds() - w.last_sound < GONE_SECONDS)
            continue;
        input_fail(in, EXIT_FAILED, "microphone", "The microphone '%s' gives no sound any more.",
                   microphone_name(in->microphone));
        return;
    }
    const float *rest = NULL;
    ptrdiff_t count = resample ? resampler_finish(resample, &rest) : 0;
    if (count > 0) audio_queue_push(in->queue, rest, (size_t)count);
}

static void run_microphone(input *in) {
    resampler *resample = NULL;
    char why[200];
    if (microphone_rate(in->microphone) != VOX_SAMPLE_RATE) {
        resample = resampler_new(microphone_rate(in->microphone));
        if (!resample) {
            input_fail(in, EXIT_FAILED, "memory", "Memory is out.");
            return;
        }
    }
    if (microphone_start(in->microphone, why, sizeof why)) move(in, resample);
    else input_fail(in, EXIT_FAILED, "microphone", "%s", why);
    resampler_free(resample);
}

int input_mic_open(input *in, const options *opt, input_error *error) {
    char why[INPUT_ERROR_SIZE];
    in->run = run_microphone;
    in->name = "The microphone";
    in->microphone = microphone_open(opt->device, opt->debug, why, sizeof why);
    if (!in->microphone) return input_error_set(error, EXIT_UNUSABLE, "microphone", "%s", why);
    return 1;
}

void input_mic_close(input *in) {
    microphone_close(in->microphone);
    in->microphone = NULL;
}
