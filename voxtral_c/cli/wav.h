/* wav.h - sound files (RIFF/WAVE), read as they come: from a file or from a pipe
 *
 *     wav_reader w;
 *     if (wav_open(&w, source, first, n_first, err, sizeof err) != WAV_OK) ...
 *     while ((n = wav_read(&w, samples, WAV_BLOCK)) > 0) ...    mono float32 at w.rate
 */
#ifndef CLI_WAV_H
#define CLI_WAV_H

#include <stddef.h>
#include <stdint.h>

#include "source.h"

enum { WAV_BLOCK = 4096, WAV_MAX_CHANNELS = 64, WAV_SNIFF = 12 };

typedef enum wav_status {
    WAV_OK = 0,
    WAV_FORMAT,               /* not a WAV file, or a damaged one */
    WAV_UNSUPPORTED,          /* a WAV file of a kind that is not read here */
    WAV_IO                    /* reading failed */
} wav_status;

typedef struct wav_reader {
    byte_source source;
    int rate, channels;
    int sample_bytes;         /* 1, 2, 3, 4 or 8 per channel */
    int is_float;
    int frame_bytes;          /* sample_bytes * channels */
    int size_known;           /* 0 for streams, whose header could not know the length */
    uint64_t frames;          /* promised by the header, when size_known */
    uint64_t frames_read;
    int truncated;            /* 1 once the data ended before the header said so */
    int failed;               /* errno when reading failed */
} wav_reader;

/* What the first WAV_SNIFF bytes of some input look like. */
typedef enum sound_kind { SOUND_WAV, SOUND_OTHER_FORMAT, SOUND_UNKNOWN } sound_kind;

/* For SOUND_OTHER_FORMAT *name is set to what it is, such as "Ogg". */
sound_kind sound_sniff(const unsigned char *first, size_t n, const char **name);

/* Read up to the first sample. `first` holds n_first (at most WAV_SNIFF) bytes that were read from
 * the source already. On failure err holds one sentence. */
wav_status wav_open(wav_reader *w, byte_source source, const unsigned char *first, size_t n_first,
                    char *err, size_t err_size);

/* Up to n frames (at most WAV_BLOCK), channels mixed to one, in -1..1. 0 at the end. */
size_t wav_read(wav_reader *w, float *samples, size_t n);

#endif
