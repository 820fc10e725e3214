/* input_sound.c - WAV files, and WAV or raw samples from standard input */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit_codes.h"
#include "frames.h"
#include "input.h"
#include "interrupt.h"
#include "resample.h"

enum { RAW_BLOCK = 8192 };

static const char *status_code(wav_status status) {
    return status == WAV_IO ? "io" : status == WAV_UNSUPPORTED ? "unsupported" : "format";
}

static int push_all(input *in, const float *samples, ptrdiff_t n) {
    if (n < 0) return input_fail(in, EXIT_FAILED, "memory", "Memory is out."), 0;
    return n == 0 || audio_queue_push(in->queue, samples, (size_t)n);
}

/* Push the file's sound, resampled where it must be. Returns 0 when the queue was closed. */
static int push_wav(input *in, resampler *resample) {
    float block[WAV_BLOCK];
    const float *samples = block;
    size_t n;
    while ((n = wav_read(&in->wav, block, WAV_BLOCK)) > 0) {
        ptrdiff_t count = (ptrdiff_t)n;
        if (resample) count = resampler_feed(resample, block, n, &samples);
        if (!push_all(in, samples, count)) return 0;
    }
    if (!resample) return 1;
    ptrdiff_t count = resampler_finish(resample, &samples);
    return push_all(in, samples, count);
}

static void run_wav(input *in) {
    resampler *resample = NULL;
    if (in->wav.rate != VOX_SAMPLE_RATE) {
        resample = resampler_new(in->wav.rate);
        if (!resample) {
            input_fail(in, EXIT_FAILED, "memory", "Memory is out.");
            return;
        }
    }
    int open = push_wav(in, resample);
    resampler_free(resample);
    if (!open || interrupt_requested()) return;
    if (in->wav.failed)
        input_fail(in, EXIT_FAILED, "io", "Reading %s failed: %s.", in->name,
                   strerror(in->wav.failed));
    else if (in->wav.truncated)
        input_warn(in, "truncated", "%s is cut off: %.1f s of sound are there, its header speaks "
                   "of %.1f s.", in->name, (double)in->wav.frames_read / in->wav.rate,
                   (double)in->wav.frames / in->wav.rate);
}

/* Explain what `first` is if it cannot be sound that is read here. */
static int check_kind(const input *in, const unsigned char *first, size_t n, input_error *error) {
    const char *kind = "";
    sound_kind sniffed = sound_sniff(first, n, &kind);
    if (sniffed == SOUND_WAV || (sniffed == SOUND_UNKNOWN && in->is_pipe)) return 1;
    if (sniffed == SOUND_OTHER_FORMAT)
        return input_error_set(error, EXIT_UNUSABLE, "format", "%s is %s, not WAV; convert it "
                               "first, for example with ffmpeg.", in->name, kind);
    return input_error_set(error, EXIT_UNUSABLE, "format", "%s is not a WAV file.", in->name);
}

static int open_wav(input *in, const unsigned char *first, size_t n, input_error *error) {
    char why[200];
    wav_status status = wav_open(&in->wav, source_from_fd(&in->fd), first, n, why, sizeof why);
    if (status != WAV_OK)
        return input_error_set(error, EXIT_UNUSABLE, status_code(status), "%s: %s", in->name, why);
    in->wav_opened = 1;
    return 1;
}

int input_file_open(input *in, const options *opt, input_error *error) {
    unsigned char first[WAV_SNIFF];
    struct stat status;
    int failed = 0;
    in->name = opt->input_path;
    in->run = run_wav;
    in->fd = open(in->name, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0 || fstat(in->fd, &status) != 0)
        return input_error_set(error, EXIT_UNUSABLE, "io", "%s cannot be opened: %s.", in->name,
                               strerror(errno));
    if (S_ISDIR(status.st_mode))
        return input_error_set(error, EXIT_UNUSABLE, "io", "%s is a folder.", in->name);
    byte_source source = source_from_fd(&in->fd);
    size_t n = source_read_full(&source, first, sizeof first, &failed);
    if (failed)
        return input_error_set(error, EXIT_UNUSABLE, "io", "%s cannot be read: %s.", in->name,
                               strerror(failed));
    return check_kind(in, first, n, error) && open_wav(in, first, n, error);
}

/* Raw samples; `bytes` holds n of them already. */
static void run_raw(input *in, unsigned char *bytes, size_t n) {
    float samples[RAW_BLOCK / 2];
    for (;;) {
        frames_to_float(bytes, n / 2, samples);
        if (!push_all(in, samples, (ptrdiff_t)(n / 2))) return;
        if (n % 2) bytes[0] = bytes[n - 1];            /* half a sample waits for the other half */
        n %= 2;
        ptrdiff_t got = interrupt_read(in->fd, bytes + n, RAW_BLOCK - n);
        if (got < 0)
            input_fail(in, EXIT_FAILED, "io", "Reading standard input failed: %s.",
                       strerror(errno));
        if (got <= 0) return;
        n += (size_t)got;
    }
}

static void run_stdin(input *in) {
    unsigned char bytes[RAW_BLOCK];
    byte_source source = source_from_fd(&in->fd);
    input_error error;
    int failed = 0;
    size_t n = source_read_full(&source, bytes, WAV_SNIFF, &failed);
    const char *kind;
    if (failed) {
        input_fail(in, EXIT_FAILED, "io", "Reading standard input failed: %s.", strerror(failed));
    } else if (!check_kind(in, bytes, n, &error)) {
        input_fail(in, error.exit_code, error.code, "%s", error.message);
    } else if (sound_sniff(bytes, n, &kind) != SOUND_WAV) {
        run_raw(in, bytes, n);
    } else if (open_wav(in, bytes, n, &error)) {
        run_wav(in);
    } else if (!interrupt_requested()) {
        input_fail(in, error.exit_code, error.code, "%s", error.message);
    }
}

int input_stdin_open(input *in, input_error *error) {
    if (!input_is_piped(error)) return 0;
    in->name = "The input";
    in->is_pipe = 1;
    in->fd = STDIN_FILENO;
    in->run = run_stdin;
    return 1;
}
