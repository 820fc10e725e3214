/* fake_portaudio.c - a PortAudio library with one made-up microphone, for tests
 *
 *   FAKE_SOUND   a file of signed 16 bit samples: what the microphone hears
 *   FAKE_RATE    the only sample rate it takes (default 16000)
 *   FAKE_STEREO  it has no mono
 *   FAKE_GOES    after the sound the device has gone; else silence follows for ever
 *   FAKE_LOSES   some of its buffers say that sound was lost
 *   FAKE_NONE    there is no device
 *
 * Sound comes ten times as fast as it was said, in buffers of 10 ms.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../portaudio.h"

int Pa_Initialize(void);
int Pa_Terminate(void);
const char *Pa_GetErrorText(int error);
int Pa_GetDeviceCount(void);
int Pa_GetDefaultInputDevice(void);
const pa_device_info *Pa_GetDeviceInfo(int device);
const pa_host_api_info *Pa_GetHostApiInfo(int host_api);
int Pa_OpenStream(void **stream, const pa_stream_parameters *input,
                  const pa_stream_parameters *output, double rate, unsigned long frames,
                  unsigned long flags, pa_callback *callback, void *user);
int Pa_StartStream(void *stream);
int Pa_AbortStream(void *stream);
int Pa_CloseStream(void *stream);
int Pa_IsStreamActive(void *stream);

enum { REFUSED = -9997 };

static struct {
    pa_callback *callback;
    void *user;
    int rate, channels;
    pthread_t thread;
    int started;
    atomic_int stop, gone;
} mic;

static int own_rate(void) {
    const char *rate = getenv("FAKE_RATE");
    return rate ? atoi(rate) : 16000;
}

int Pa_Initialize(void) {
    fputs("noise of the sound system\n", stderr);
    return PA_NO_ERROR;
}

int Pa_Terminate(void) { return PA_NO_ERROR; }
const char *Pa_GetErrorText(int error) { return error == REFUSED ? "Invalid sample rate" : "?"; }
int Pa_GetDeviceCount(void) { return getenv("FAKE_NONE") ? 0 : 2; }
int Pa_GetDefaultInputDevice(void) { return getenv("FAKE_NONE") ? PA_NO_DEVICE : 1; }

const pa_device_info *Pa_GetDeviceInfo(int device) {
    static pa_device_info speaker = {2, "Made-up Speaker", 0, 0, 2, 0, 0, 0, 0, 48000};
    static pa_device_info info = {2, "Made-up Microphone", 0, 2, 0, 0, 0, 0, 0, 0};
    info.sample_rate = own_rate();
    return device == 0 ? &speaker : &info;
}

const pa_host_api_info *Pa_GetHostApiInfo(int host_api) {
    static const pa_host_api_info info = {1, 0, "Made-up", 2, 1, 0};
    return host_api == 0 ? &info : NULL;
}

int Pa_OpenStream(void **stream, const pa_stream_parameters *input,
                  const pa_stream_parameters *output, double rate, unsigned long frames,
                  unsigned long flags, pa_callback *callback, void *user) {
    (void)output;
    (void)frames;
    (void)flags;
    if (rate != own_rate() || (getenv("FAKE_STEREO") && input->channels != 2)) return REFUSED;
    mic.callback = callback;
    mic.user = user;
    mic.rate = (int)rate;
    mic.channels = input->channels;
    *stream = &mic;
    return PA_NO_ERROR;
}

static void *speak(void *unused) {
    const char *path = getenv("FAKE_SOUND");
    FILE *file = path ? fopen(path, "rb") : NULL;
    int16_t heard[4096];
    float samples[2 * 4096];
    size_t block = (size_t)mic.rate / 100;
    (void)unused;
    for (int count = 0; !mic.stop; count++) {
        size_t n = file ? fread(heard, sizeof *heard, block, file) : 0;
        if (n == 0 && getenv("FAKE_GOES")) break;
        memset(heard + n, 0, (block - n) * sizeof *heard);
        for (size_t i = 0; i < block; i++)
            for (int c = 0; c < mic.channels; c++)
                samples[i * (size_t)mic.channels + (size_t)c] = (float)heard[i] / 32768.0f;
        unsigned long flags = getenv("FAKE_LOSES") && count % 10 == 5 ? PA_INPUT_OVERFLOW : 0;
        mic.callback(samples, NULL, block, NULL, flags, mic.user);
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    if (file) fclose(file);
    mic.gone = 1;
    return NULL;
}

int Pa_StartStream(void *stream) {
    (void)stream;
    mic.started = pthread_create(&mic.thread, NULL, speak, NULL) == 0;
    return PA_NO_ERROR;
}

int Pa_AbortStream(void *stream) {
    (void)stream;
    mic.stop = 1;
    if (mic.started) pthread_join(mic.thread, NULL);
    mic.started = 0;
    return PA_NO_ERROR;
}

int Pa_CloseStream(void *stream) {
    (void)stream;
    return PA_NO_ERROR;
}

int Pa_IsStreamActive(void *stream) {
    (void)stream;
    return !mic.gone;
}
