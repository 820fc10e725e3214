/* test_wav.c - WAV files: every sample format, streams, lies in the header */
#include <math.h>
#include <string.h>

#include "../../tests/check.h"
#include "../wav.h"

typedef struct built {
    unsigned char bytes[4096];
    size_t n;
} built;

static void put(built *b, const void *bytes, size_t n) {
    memcpy(b->bytes + b->n, bytes, n);
    b->n += n;
}

static void put_number(built *b, uint32_t value, int bytes) {
    for (int i = 0; i < bytes; i++) b->bytes[b->n++] = (unsigned char)(value >> (8 * i));
}

/* A header up to the data; `before` bytes of another chunk stand before the format. */
static built header(int format, int channels, int rate, int bits, uint32_t data_size) {
    built b = {.n = 0};
    int align = channels * ((bits + 7) / 8);
    put(&b, "RIFF\0\0\0\0WAVE", 12);
    put(&b, "LIST\3\0\0\0abc\0", 12);         /* an odd chunk and its padding */
    put(&b, "fmt \20\0\0\0", 8);
    put_number(&b, (uint32_t)format, 2);
    put_number(&b, (uint32_t)channels, 2);
    put_number(&b, (uint32_t)rate, 4);
    put_number(&b, (uint32_t)(rate * align), 4);
    put_number(&b, (uint32_t)align, 2);
    put_number(&b, (uint32_t)bits, 2);
    put(&b, "data", 4);
    put_number(&b, data_size, 4);
    return b;
}

static wav_status open_bytes(wav_reader *w, memory_bytes *memory, const built *b, char *err) {
    *memory = (memory_bytes){b->bytes, b->n, 7};       /* reads come in odd pieces */
    return wav_open(w, source_from_memory(memory), NULL, 0, err, 200);
}

static size_t read_all(const built *b, wav_reader *w, float *samples, size_t most) {
    char err[200] = "";
    memory_bytes memory;
    wav_status status = open_bytes(w, &memory, b, err);
    REQUIRE(status == WAV_OK, "%s", err);
    size_t total = 0, n;
    while (total < most && (n = wav_read(w, samples + total, most - total)) > 0) total += n;
    return total;
}

static void test_formats(void) {
    float x[16];
    wav_reader w;
    built b = header(1, 1, 16000, 8, 3);
    put(&b, "\x80\x00\xFF", 3);
    CHECK(read_all(&b, &w, x, 16) == 3, "8 bit");
    CHECK(x[0] == 0 && x[1] == -1 && x[2] == 127 / 128.0f, "%g %g %g", x[0], x[1], x[2]);
    b = header(1, 1, 16000, 16, 6);
    put(&b, "\x00\x00\x00\x80\xFF\x7F", 6);
    CHECK(read_all(&b, &w, x, 16) == 3, "16 bit");
    CHECK(x[0] == 0 && x[1] == -1 && x[2] == 32767 / 32768.0f, "%g %g %g", x[0], x[1], x[2]);
    b = header(1, 1, 16000, 24, 6);
    put(&b, "\x00\x00\x80\x00\x00\x40", 6);
    CHECK(read_all(&b, &w, x, 16) == 2, "24 bit");
    CHECK(x[0] == -1 && x[1] == 0.5f, "%g %g", x[0], x[1]);
    b = header(1, 1, 16000, 32, 8);
    put(&b, "\x00\x00\x00\x80\x00\x00\x00\xC0", 8);
    CHECK(read_all(&b, &w, x, 16) == 2, "32 bit");
    CHECK(x[0] == -1 && x[1] == -0.5f, "%g %g", x[0], x[1]);
}

static void test_floats(void) {
    float x[16], values[4] = {0.25f, -7.0f, 7.0f, NAN};
    double doubles[2] = {-0.125, INFINITY};
    wav_reader w;
    built b = header(3, 1, 44100, 32, sizeof values);
    put(&b, values, sizeof values);
    CHECK(read_all(&b, &w, x, 16) == 4 && w.rate == 44100, "float");
    CHECK(x[0] == 0.25f && x[1] == -1 && x[2] == 1 && x[3] == 0, "%g %g %g", x[0], x[1], x[2]);
    b = header(3, 1, 16000, 64, sizeof doubles);
    put(&b, doubles, sizeof doubles);
    CHECK(read_all(&b, &w, x, 16) == 2 && x[0] == -0.125f && x[1] == 1, "double");
}

static void test_channels(void) {
    float x[16];
    wav_reader w;
    built b = header(1, 2, 16000, 16, 8);
    put(&b, "\x00\x40\x00\x20\x00\x40\x00\xC0", 8);     /* 0.5 0.25, 0.5 -0.5 */
    CHECK(read_all(&b, &w, x, 16) == 2, "stereo");
    CHECK(x[0] == 0.375f && x[1] == 0, "%g %g", x[0], x[1]);
}

static void test_lengths(void) {
    float x[16];
    wav_reader w;
    built b = header(1, 1, 16000, 16, 4);
    put(&b, "\1\0\2\0LIST\0\0\0\0", 12);
    CHECK(read_all(&b, &w, x, 16) == 2 && !w.truncated, "chunks after the data are not sound");
    uint32_t unknown[] = {0, 0xFFFFFFFFu, 0x7FFFFFFFu, 0x7FFFF000u};
    for (size_t i = 0; i < 4; i++) {
        b = header(1, 1, 16000, 16, unknown[i]);
        put(&b, "\1\0\2\0\3\0\4", 7);                  /* half a sample at the end */
        CHECK(read_all(&b, &w, x, 16) == 3, "size %08x", unknown[i]);
        CHECK(!w.truncated && !w.size_known, "size %08x", unknown[i]);
    }
    b = header(1, 1, 16000, 16, 100);
    put(&b, "\1\0\2\0", 4);
    CHECK(read_all(&b, &w, x, 16) == 2 && w.truncated && w.frames == 50, "cut off");
}

static void test_refusals(void) {
    static const struct { int format, channels, rate, bits; wav_status status; } cases[] = {
        {7, 1, 8000, 8, WAV_UNSUPPORTED},   {1, 0, 16000, 16, WAV_UNSUPPORTED},
        {1, 65, 16000, 16, WAV_UNSUPPORTED}, {1, 1, 0, 16, WAV_UNSUPPORTED},
        {1, 1, 999999, 16, WAV_UNSUPPORTED}, {1, 1, 16000, 0, WAV_UNSUPPORTED},
        {3, 1, 16000, 16, WAV_UNSUPPORTED}, {1, 1, 16000, 64, WAV_UNSUPPORTED},
    };
    wav_reader w;
    memory_bytes memory;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char err[200] = "";
        built b = header(cases[i].format, cases[i].channels, cases[i].rate, cases[i].bits, 4);
        put(&b, "\0\0\0\0", 4);
        wav_status status = open_bytes(&w, &memory, &b, err);
        CHECK(status == cases[i].status && err[0], "case %zu: %d %s", i, (int)status, err);
    }
    built whole = header(1, 1, 16000, 16, 4);
    for (size_t n = 0; n < whole.n; n++) {             /* a header cut off anywhere */
        char err[200] = "";
        built b = whole;
        b.n = n;
        CHECK(open_bytes(&w, &memory, &b, err) == WAV_FORMAT && err[0], "cut at %zu", n);
    }
}

static void test_extensible_and_rf64(void) {
    float x[16];
    wav_reader w;
    built b = {.n = 0};
    put(&b, "RF64\xFF\xFF\xFF\xFFWAVE", 12);
    put(&b, "ds64\34\0\0\0", 8);
    put_number(&b, 0, 4), put_number(&b, 0, 4);        /* the file's size */
    put_number(&b, 4, 4), put_number(&b, 0, 4);        /* the data's size */
    put_number(&b, 2, 4), put_number(&b, 0, 4), put_number(&b, 0, 4);
    put(&b, "fmt \50\0\0\0", 8);
    put(&b, "\xFE\xFF\1\0\x80\x3E\0\0\0\x7D\0\0\2\0\20\0", 16);
    put(&b, "\26\0\20\0\4\0\0\0\1\0\0\0\0\0\20\0\x80\0\0\xAA\0\x38\x9B\x71", 24);
    put(&b, "data\xFF\xFF\xFF\xFF\0\x40\0\xC0junk", 16);
    CHECK(read_all(&b, &w, x, 16) == 2 && x[0] == 0.5f && x[1] == -0.5f, "%g %g", x[0], x[1]);
}

static void test_sniff(void) {
    const char *name = NULL;
    const unsigned char ogg[] = "OggS00000000", mp4[] = "\0\0\0 ftypisom", raw[12] = {0};
    CHECK(sound_sniff((const unsigned char *)"RIFF", 4, &name) == SOUND_WAV, "WAV");
    CHECK(sound_sniff(ogg, 12, &name) == SOUND_OTHER_FORMAT && !strcmp(name, "Ogg"), "Ogg");
    CHECK(sound_sniff(mp4, 12, &name) == SOUND_OTHER_FORMAT && !strcmp(name, "MP4"), "MP4");
    CHECK(sound_sniff(raw, 12, &name) == SOUND_UNKNOWN, "raw");
    CHECK(sound_sniff(raw, 0, &name) == SOUND_UNKNOWN, "nothing");
}

int main(void) {
    test_formats();
    test_floats();
    test_channels();
    test_lengths();
    test_refusals();
    test_extensible_and_rf64();
    test_sniff();
    return check_summary();
}
