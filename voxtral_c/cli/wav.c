/* wav.c - sound files (RIFF/WAVE), read as they come */
#include "wav.h"

#include <stdio.h>
#include <string.h>

enum { FORMAT_PCM = 1, FORMAT_FLOAT = 3, FORMAT_EXTENSIBLE = 0xFFFE };
enum { MIN_RATE = 1000, MAX_RATE = 384000, MAX_FRAME_BYTES = WAV_MAX_CHANNELS * 8 };

/* Programs that write to a pipe put the greatest sizes they can; nobody has two gigabytes. */
static const uint32_t UNKNOWN_SIZE = 0x7FFF0000u;

static uint32_t le16(const unsigned char *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t le32(const unsigned char *p) { return le16(p) | le16(p + 2) << 16; }
static uint64_t le64(const unsigned char *p) { return le32(p) | (uint64_t)le32(p + 4) << 32; }

sound_kind sound_sniff(const unsigned char *first, size_t n, const char **name) {
    static const struct { size_t at; const char *magic, *name; } others[] = {
        {0, "OggS", "Ogg"},      {0, "fLaC", "FLAC"},  {0, "ID3", "MP3"},
        {4, "ftyp", "MP4"},      {0, "FORM", "AIFF"},  {0, "caff", "CAF"},
        {0, "\x1A\x45\xDF\xA3", "Matroska or WebM"},   {0, "RIFX", "big-endian WAV"},
    };
    if (n >= 4 && (!memcmp(first, "RIFF", 4) || !memcmp(first, "RF64", 4))) return SOUND_WAV;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        size_t length = strlen(others[i].magic);
        if (n < others[i].at + length) continue;
        if (memcmp(first + others[i].at, others[i].magic, length) != 0) continue;
        *name = others[i].name;
        return SOUND_OTHER_FORMAT;
    }
    return SOUND_UNKNOWN;
}

static int skip(wav_reader *w, uint64_t n) {
    unsigned char waste[4096];
    while (n > 0) {
        size_t piece = n < sizeof waste ? (size_t)n : sizeof waste;
        if (source_read_full(&w->source, waste, piece, &w->failed) != piece) return 0;
        n -= piece;
    }
    return 1;
}

static wav_status parse_fmt(wav_reader *w, const unsigned char *p, size_t n, char *err,
                            size_t err_size) {
    uint32_t format = le16(p), channels = le16(p + 2), rate = le32(p + 4);
    uint32_t align = le16(p + 12), bits = le16(p + 14);
    if (format == FORMAT_EXTENSIBLE && n >= 26) format = le16(p + 24);
    if (channels < 1 || channels > WAV_MAX_CHANNELS) {
        snprintf(err, err_size, "A WAV file of %u channels cannot be read.", channels);
        return WAV_UNSUPPORTED;
    }
    if (rate < MIN_RATE || rate > MAX_RATE) {
        snprintf(err, err_size, "A sample rate of %u Hz is outside %d..%d Hz.", rate, MIN_RATE,
                 MAX_RATE);
        return WAV_UNSUPPORTED;
    }
    /* The block alignment tells how many bytes hold a sample: 20 bits may lie in 3 or in 4. */
    uint32_t bytes = (bits + 7) / 8;
    if (align % channels == 0 && align / channels >= bytes) bytes = align / channels;
    int pcm = format == FORMAT_PCM && bytes >= 1 && bytes <= 4;
    int floating = format == FORMAT_FLOAT && (bytes == 4 || bytes == 8);
    if (!pcm && !floating) {
        snprintf(err, err_size, "A WAV file of format %u with %u bits is not supported: "
                 "8 to 32 bit PCM and 32 or 64 bit float are.", format, bits);
        return WAV_UNSUPPORTED;
    }
    w->rate = (int)rate;
    w->channels = (int)channels;
    w->sample_bytes = (int)bytes;
    w->is_float = floating;
    w->frame_bytes = (int)(bytes * channels);
    return WAV_OK;
}

static wav_status damaged(const wav_reader *w, char *err, size_t err_size, const char *what) {
    if (w->failed) {
        snprintf(err, err_size, "Reading failed: %s.", strerror(w->failed));
        return WAV_IO;
    }
    snprintf(err, err_size, "The WAV file is damaged: %s.", what);
    return WAV_FORMAT;
}

/* Set how many frames the data chunk holds; `long_size` is RF64's 64 bit size, 0 if absent. */
static void set_length(wav_reader *w, uint32_t size, uint64_t long_size) {
    uint64_t bytes = size == UINT32_MAX && long_size ? long_size : size;
    w->size_known = bytes != 0 && (bytes < UNKNOWN_SIZE || bytes == long_size);
    w->frames = w->size_known ? bytes / (uint64_t)w->frame_bytes : 0;
}

/* Read a format or RF64 size chunk of `size` bytes, and set *used to those read of it. */
static wav_status read_chunk(wav_reader *w, int is_format, uint32_t size, uint64_t *long_size,
                             size_t *used, char *err, size_t err_size) {
    unsigned char bytes[40];
    *used = size < sizeof bytes ? size : sizeof bytes;
    if (source_read_full(&w->source, bytes, *used, &w->failed) != *used || *used < 16)
        return damaged(w, err, err_size, "its format is cut off");
    if (is_format) return parse_fmt(w, bytes, *used, err, err_size);
    *long_size = le64(bytes + 8);
    return WAV_OK;
}

wav_status wav_open(wav_reader *w, byte_source source, const unsigned char *first, size_t n_first,
                    char *err, size_t err_size) {
    unsigned char head[WAV_SNIFF];
    uint64_t long_size = 0;
    memset(w, 0, sizeof *w);
    w->source = source;
    if (n_first > WAV_SNIFF) n_first = WAV_SNIFF;
    if (n_first) memcpy(head, first, n_first);
    size_t got = n_first +
        source_read_full(&w->source, head + n_first, WAV_SNIFF - n_first, &w->failed);
    const char *name;
    if (w->failed) return damaged(w, err, err_size, "");
    if (got < WAV_SNIFF || sound_sniff(head, got, &name) != SOUND_WAV ||
        memcmp(head + 8, "WAVE", 4) != 0) {
        snprintf(err, err_size, "It is not a WAV file.");
        return WAV_FORMAT;
    }
    for (;;) {
        if (source_read_full(&w->source, head, 8, &w->failed) != 8)
            return damaged(w, err, err_size, "it ends before its sound begins");
        uint32_t size = le32(head + 4);
        if (memcmp(head, "data", 4) == 0) {
            if (!w->rate) return damaged(w, err, err_size, "no format stands before its sound");
            set_length(w, size, long_size);
            return WAV_OK;
        }
        int is_format = memcmp(head, "fmt ", 4) == 0;
        size_t used = 0;
        wav_status status = WAV_OK;
        if (is_format || memcmp(head, "ds64", 4) == 0)
            status = read_chunk(w, is_format, size, &long_size, &used, err, err_size);
        if (status != WAV_OK) return status;
        if (!skip(w, (uint64_t)size - used + (size & 1)))
            return damaged(w, err, err_size, "it ends before its sound begins");
    }
}

static float clamp(double x) {
    return x < -1 ? -1.0f : x > 1 ? 1.0f : (float)x;
}

static double one_value(const wav_reader *w, const unsigned char *p) {
    switch (w->sample_bytes) {
    case 1: return ((int)p[0] - 128) / 128.0;
    case 2: return (int16_t)le16(p) / 32768.0;
    case 3: return (int32_t)(le16(p) << 8 | (uint32_t)p[2] << 24) / 2147483648.0;
    case 4: {
        uint32_t bits = le32(p);
        if (!w->is_float) return (int32_t)bits / 2147483648.0;
        float value;
        memcpy(&value, &bits, sizeof value);
        return value == value ? value : 0;                /* a file may hold NaN */
    }
    default: {
        uint64_t bits = le64(p);
        double value;
        memcpy(&value, &bits, sizeof value);
        return value == value ? value : 0;
    }
    }
}

size_t wav_read(wav_reader *w, float *samples, size_t n) {
    unsigned char bytes[4 * MAX_FRAME_BYTES];
    size_t fit = sizeof bytes / (size_t)w->frame_bytes, done = 0;
    if (n > WAV_BLOCK) n = WAV_BLOCK;
    if (w->size_known && w->frames - w->frames_read < n) n = (size_t)(w->frames - w->frames_read);
    while (done < n && !w->truncated) {
        size_t want = n - done < fit ? n - done : fit;
        size_t got = source_read_full(&w->source, bytes, want * (size_t)w->frame_bytes,
                                      &w->failed) / (size_t)w->frame_bytes;
        for (size_t i = 0; i < got; i++) {
            const unsigned char *frame = bytes + i * (size_t)w->frame_bytes;
            double sum = 0;
            for (int c = 0; c < w->channels; c++)
                sum += clamp(one_value(w, frame + c * w->sample_bytes));
            samples[done + i] = (float)(sum / w->channels);
        }
        done += got;
        if (got < want) break;
    }
    w->frames_read += done;
    if (w->size_known && done < n) w->truncated = 1;
    return done;
}
