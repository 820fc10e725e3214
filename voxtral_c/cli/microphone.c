/* microphone.c - sound from a microphone, through PortAudio */
#include "microphone.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "portaudio.h"

enum { WANTED_RATE = 16000, RING_SECONDS = 10, MAX_CHANNELS = 2 };

struct microphone {
    portaudio pa;
    void *stream;
    char name[128];
    int rate, channels;
    float *ring;                  /* mono, at `rate` */
    size_t capacity;
    atomic_size_t written, read;  /* samples; only the callback writes the first, the reader the
                                     second */
    atomic_uint overflows;
};

static int on_sound(const void *input, void *output, unsigned long frames, const void *time,
                    unsigned long flags, void *user) {
    microphone *m = user;
    const float *in = input;
    (void)output;
    (void)time;
    size_t written = atomic_load_explicit(&m->written, memory_order_relaxed);
    size_t room = m->capacity - (written - atomic_load_explicit(&m->read, memory_order_acquire));
    if ((flags & PA_INPUT_OVERFLOW) || frames > room) atomic_fetch_add(&m->overflows, 1);
    if (frames > room) frames = room;
    for (unsigned long i = 0; in && i < frames; i++) {
        float sum = 0;
        for (int c = 0; c < m->channels; c++) sum += *in++;
        m->ring[(written + i) % m->capacity] = sum / (float)m->channels;
    }
    if (in) atomic_store_explicit(&m->written, written + frames, memory_order_release);
    return PA_CONTINUE;
}

size_t microphone_read(microphone *m, float *samples, size_t n) {
    size_t read = atomic_load_explicit(&m->read, memory_order_relaxed);
    size_t there = atomic_load_explicit(&m->written, memory_order_acquire) - read;
    if (n > there) n = there;
    for (size_t i = 0; i < n; i++) samples[i] = m->ring[(read + i) % m->capacity];
    atomic_store_explicit(&m->read, read + n, memory_order_release);
    return n;
}

static int contains(const char *text, const char *part) {
    for (; *text; text++) {
        size_t i = 0;
        while (part[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i])) i++;
        if (!part[i]) return 1;
    }
    return 0;
}

/* The device to use: its number, or -1 with one sentence. */
static int find_device(const portaudio *pa, const char *wanted, char *err, size_t err_size) {
    if (!wanted) {
        int device = pa->default_input();
        if (device < 0) snprintf(err, err_size, "There is no microphone.");
        return device < 0 ? -1 : device;
    }
    for (int i = 0; i < pa->device_count(); i++) {
        const pa_device_info *info = pa->device_info(i);
        if (info && info->max_input_channels > 0 && contains(info->name, wanted)) return i;
    }
    snprintf(err, err_size, "There is no microphone named '%s'; --list-devices lists them.",
             wanted);
    return -1;
}

static int try_open(microphone *m, int device, const pa_device_info *info, int rate,
                    int channels) {
    pa_stream_parameters parameters = {device, channels, PA_FLOAT32, info->high_input_latency,
                                       NULL};
    m->rate = rate;
    m->channels = channels;
    return m->pa.open_stream(&m->stream, &parameters, NULL, rate, 0, 0, on_sound, m);
}

static int open_device(microphone *m, int device, char *err, size_t err_size) {
    const pa_device_info *info = m->pa.device_info(device);
    if (!info) {
        snprintf(err, err_size, "The microphone has gone.");
        return 0;
    }
    snprintf(m->name, sizeof m->name, "%s", info->name);
    int own_rate = info->sample_rate >= 1000 && info->sample_rate <= 384000
                       ? (int)info->sample_rate : 48000;
    int status = try_open(m, device, info, WANTED_RATE, 1);
    if (status != PA_NO_ERROR) status = try_open(m, device, info, own_rate, 1);
    if (status != PA_NO_ERROR && info->max_input_channels >= MAX_CHANNELS)
        status = try_open(m, device, info, own_rate, MAX_CHANNELS);
    if (status == PA_NO_ERROR) return 1;
    m->stream = NULL;
    snprintf(err, err_size, "The microphone '%s' cannot be opened: %s.", m->name,
             m->pa.error_text(status));
    return 0;
}

microphone *microphone_open(const char *device, int verbose, char *err, size_t err_size) {
    microphone *m = calloc(1, sizeof *m);
    if (!m) {
        snprintf(err, err_size, "Memory is out.");
        return NULL;
    }
    int ok = portaudio_open(&m->pa, verbose, err, err_size);
    int number = ok ? find_device(&m->pa, device, err, err_size) : -1;
    if (number >= 0) {
        int saved = verbose ? -1 : portaudio_mute_stderr();
        ok = open_device(m, number, err, err_size);
        portaudio_unmute_stderr(saved);
    }
    if (number >= 0 && ok) {
        m->capacity = (size_t)m->rate * RING_SECONDS;
        m->ring = malloc(m->capacity * sizeof *m->ring);
        if (m->ring) return m;
        snprintf(err, err_size, "Memory is out.");
    }
    microphone_close(m);
    return NULL;
}

int microphone_start(microphone *m, char *err, size_t err_size) {
    int status = m->pa.start_stream(m->stream);
    if (status == PA_NO_ERROR) return 1;
    snprintf(err, err_size, "The microphone '%s' cannot be started: %s.", m->name,
             m->pa.error_text(status));
    return 0;
}

void microphone_close(microphone *m) {
    if (!m) return;
    if (m->stream) {
        m->pa.abort_stream(m->stream);
        m->pa.close_stream(m->stream);
    }
    portaudio_close(&m->pa);
    free(m->ring);
    free(m);
}

int microphone_rate(const microphone *m) { return m->rate; }
const char *microphone_name(const microphone *m) { return m->name; }
int microphone_active(microphone *m) { return m->pa.is_active(m->stream) == 1; }
unsigned microphone_overflows(const microphone *m) { return atomic_load(&m->overflows); }

int microphone_list(FILE *to, int verbose, char *err, size_t err_size) {
    portaudio pa;
    if (!portaudio_open(&pa, verbose, err, err_size)) return 0;
    int usual = pa.default_input(), found = 0;
    for (int i = 0; i < pa.device_count(); i++) {
        const pa_device_info *info = pa.device_info(i);
        if (!info || info->max_input_channels < 1) continue;
        const pa_host_api_info *host = pa.host_api_info(info->host_api);
        fprintf(to, "%c %s  (%s, %.0f Hz)\n", i == usual ? '*' : ' ', info->name,
                host ? host->name : "?", info->sample_rate);
        found++;
    }
    portaudio_close(&pa);
    if (!found) snprintf(err, err_size, "There is no microphone.");
    return found > 0;
}
