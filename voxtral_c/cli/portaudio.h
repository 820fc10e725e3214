/* portaudio.h - the part of PortAudio's interface (version 19) that is used, found at run time
 *
 * The library is looked for when a microphone is wanted, so that the program builds and runs
 * without it.
 */
#ifndef CLI_PORTAUDIO_H
#define CLI_PORTAUDIO_H

#include <stddef.h>

enum { PA_NO_ERROR = 0, PA_NO_DEVICE = -1 };
enum { PA_FLOAT32 = 0x1 };                /* sample format */
enum { PA_INPUT_OVERFLOW = 0x2 };         /* callback flag */
enum { PA_CONTINUE = 0 };                 /* callback result */

typedef struct pa_device_info {
    int struct_version;
    const char *name;
    int host_api;
    int max_input_channels, max_output_channels;
    double low_input_latency, low_output_latency;
    double high_input_latency, high_output_latency;
    double sample_rate;
} pa_device_info;

typedef struct pa_host_api_info {
    int struct_version;
    int type;
    const char *name;
    int device_count, default_input, default_output;
} pa_host_api_info;

typedef struct pa_stream_parameters {
    int device, channels;
    unsigned long format;
    double latency;
    void *host_specific;
} pa_stream_parameters;

typedef int pa_callback(const void *input, void *output, unsigned long frames, const void *time,
                        unsigned long flags, void *user);

typedef struct portaudio {
    void *library;
    int initialized;
    int (*initialize)(void);
    int (*terminate)(void);
    const char *(*error_text)(int error);
    int (*device_count)(void);
    int (*default_input)(void);
    const pa_device_info *(*device_info)(int device);
    const pa_host_api_info *(*host_api_info)(int host_api);
    int (*open_stream)(void **stream, const pa_stream_parameters *input,
                       const pa_stream_parameters *output, double rate, unsigned long frames,
                       unsigned long flags, pa_callback *callback, void *user);
    int (*start_stream)(void *stream);
    int (*abort_stream)(void *stream);
    int (*close_stream)(void *stream);
    int (*is_active)(void *stream);
} portaudio;

/* Load and initialise. Returns 1, or 0 with one sentence that says what to install. What the
 * sound system prints meanwhile is kept off standard error unless `verbose`. */
int portaudio_open(portaudio *pa, int verbose, char *err, size_t err_size);
void portaudio_close(portaudio *pa);

/* The sound system's libraries print to standard error: send that to nowhere for a while. */
int portaudio_mute_stderr(void);          /* returns what unmute needs, -1 if it cannot be done */
void portaudio_unmute_stderr(int saved);

#endif
