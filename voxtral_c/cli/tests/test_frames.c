/* test_frames.c - frames, whole and broken, and the configure payload */
#include <string.h>

#include "../../tests/check.h"
#include "../frames.h"

static frame_status first(const void *bytes, size_t n, frame_reader *r, frame *f) {
    static memory_bytes memory;
    memory = (memory_bytes){bytes, n, 3};
    REQUIRE(frames_open(r, source_from_memory(&memory)), "memory");
    return frames_next(r, f);
}

static void expect(const char *what, const void *bytes, size_t n, frame_status wanted) {
    frame_reader r;
    frame f;
    frame_status got = first(bytes, n, &r, &f);
    CHECK(got == wanted, "%s: %d", what, (int)got);
    CHECK(got != FRAME_BAD || r.error[0], "%s: no sentence", what);
    frames_close(&r);
}

static void test_sequence(void) {
    static const char bytes[] = "A\4\0\0\0\0\x40\0\xC0" "F\0\0\0\0" "R\0\0\0\0"
                                "A\0\0\0\0" "Q\0\0\0\0";
    frame_reader r;
    frame f;
    float samples[2];
    CHECK(first(bytes, sizeof bytes - 1, &r, &f) == FRAME_OK && f.type == 'A', "audio");
    CHECK(f.length == 4, "%zu", f.length);
    frames_to_float(f.payload, 2, samples);
    CHECK(samples[0] == 0.5f && samples[1] == -0.5f, "%g %g", samples[0], samples[1]);
    CHECK(frames_next(&r, &f) == FRAME_OK && f.type == 'F', "flush");
    CHECK(frames_next(&r, &f) == FRAME_OK && f.type == 'R', "reset");
    CHECK(frames_next(&r, &f) == FRAME_OK && f.type == 'A' && f.length == 0, "no audio");
    CHECK(frames_next(&r, &f) == FRAME_OK && f.type == 'Q', "quit");
    CHECK(frames_next(&r, &f) == FRAME_END, "the end");
    frames_close(&r);
}

static void test_broken(void) {
    expect("nothing", "", 0, FRAME_END);
    expect("unknown type", "X\0\0\0\0", 5, FRAME_BAD);
    expect("type zero", "\0\0\0\0\0", 5, FRAME_BAD);
    expect("odd audio", "A\1\0\0\0x", 6, FRAME_BAD);
    expect("too long", "A\2\0\x10\0", 5, FRAME_BAD);
    expect("flush with payload", "F\1\0\0\0x", 6, FRAME_BAD);
    expect("half a head", "A\4", 2, FRAME_CUT_OFF);
    expect("half a payload", "A\4\0\0\0xx", 7, FRAME_CUT_OFF);
}

static void test_longest(void) {
    size_t n = 5 + FRAME_MAX_PAYLOAD;
    unsigned char *bytes = calloc(1, n);
    REQUIRE(bytes != NULL, "memory");
    bytes[0] = 'A';
    bytes[3] = 0x10;                                   /* 1048576 */
    frame_reader r;
    frame f;
    memory_bytes memory = {bytes, n, 0};
    REQUIRE(frames_open(&r, source_from_memory(&memory)), "memory");
    CHECK(frames_next(&r, &f) == FRAME_OK && f.length == FRAME_MAX_PAYLOAD, "the longest frame");
    frames_close(&r);
    free(bytes);
}

static int parse(const char *text, frame_config *config, char *err) {
    err[0] = '\0';
    return frames_parse_config((const unsigned char *)text, strlen(text), config, err, 200);
}

static void test_config(void) {
    frame_config c;
    char err[200];
    CHECK(parse("{\"delay_ms\":240,\"interval\":0.25}", &c, err), "%s", err);
    CHECK(c.delay_ms == 240 && c.interval == 0.25, "%d %g", c.delay_ms, c.interval);
    CHECK(parse("{\"interval\":1,\"later\":[{\"x\":null}]}", &c, err), "%s", err);
    CHECK(c.delay_ms == -1 && c.interval == 1, "%d %g", c.delay_ms, c.interval);
    CHECK(parse("{}", &c, err) && c.delay_ms == -1 && c.interval < 0, "%s", err);
    static const char *const wrong[] = {
        "", "{", "[]", "null", "{\"delay_ms\":\"240\"}", "{\"delay_ms\":-80}",
        "{\"delay_ms\":80.5}", "{\"interval\":1e999}", "{\"interval\":-1}", "{\"interval\":61}",
        "{\"interval\":true}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK(!parse(wrong[i], &c, err) && err[0], "%s", wrong[i]);
}

int main(void) {
    test_sequence();
    test_broken();
    test_longest();
    test_config();
    return check_summary();
}
