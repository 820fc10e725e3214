/* test_malformed.c - files that are missing, cut off, or lie: a status, a sentence, no crash. */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

static char folder[64] = "/tmp/vox-test-XXXXXX";
static const char *const names[] = { "params.json", "tekken.json", "consolidated.safetensors" };
static char *originals[3];
static size_t sizes[3];

static void write_file(const char *name, const char *data, size_t n) {
    char *path = vox_path(folder, name);
    REQUIRE(path != NULL, "no memory");
    FILE *f = fopen(path, "wb");
    REQUIRE(f && fwrite(data, 1, n, f) == n && fclose(f) == 0, "cannot write %s", path);
    vox_free(path);
}

static void restore(void) {
    for (int i = 0; i < 3; i++) write_file(names[i], originals[i], sizes[i]);
}

/* Load the folder as it is now; 0 = any failure will do. */
static void expect(const char *what, vox_status status, const char *part) {
    char err[512] = "";
    vox_model *m = NULL;
    vox_model_params p = vox_model_default_params();
    p.threads = 1;
    vox_status got = vox_model_load(folder, &p, &m, err, sizeof err);
    CHECK(got != VOX_OK && m == NULL, "%s: loaded", what);
    if (status) CHECK(got == status, "%s: status %s: %s", what, vox_status_name(got), err);
    CHECK(strlen(err) > 10 && err[strlen(err) - 1] == '.', "%s: no sentence: %s", what, err);
    if (part) CHECK(strstr(err, part), "%s: %s", what, err);
    vox_model_free(m);
}

/* Replace the first `from` in a file by `to` of any length. */
static void replace(int file, const char *from, const char *to) {
    const char *at = NULL;
    const size_t n = strlen(from), k = strlen(to);
    for (size_t i = 0; i + n <= sizes[file] && !at; i++)
        if (!memcmp(originals[file] + i, from, n)) at = originals[file] + i;
    REQUIRE(at != NULL, "%s does not hold %s", names[file], from);
    const size_t before = (size_t)(at - originals[file]), after = sizes[file] - before - n;
    char *text = vox_alloc(before + k + after + 1, 1);
    REQUIRE(text != NULL, "no memory");
    memcpy(text, originals[file], before);
    memcpy(text + before, to, k);
    memcpy(text + before + k, at + n, after);
    write_file(names[file], text, before + k + after);
    vox_free(text);
}

static void test_replaced(int file, const char *from, const char *to, vox_status status, const char *part) {
    replace(file, from, to);
    expect(to, status, part);
    restore();
}

static void test_params(void) {
    static const char *const huge[][2] = {
        { "\"dim\": 96", "\"dim\": 95" }, { "\"dim\": 96", "\"dim\": -1" }, { "\"dim\": 96", "\"dim\": 1e300" },
        { "\"dim\": 96", "\"dim\": NaN" }, { "\"dim\": 96", "\"dim\": \"96\"" }, { "\"dim\": 96", "\"dim\": 65536" },
        { "\"n_layers\": 3", "\"n_layers\": 0" }, { "\"n_layers\": 3", "\"n_layers\": 256" },
        { "\"head_dim\": 16", "\"head_dim\": 15" }, { "\"n_kv_heads\": 2", "\"n_kv_heads\": 3" },
        { "\"hidden_dim\": 160", "\"hidden_dim\": 161" }, { "\"vocab_size\": 299", "\"vocab_size\": 40" },
        { "\"vocab_size\": 299", "\"vocab_size\": 4000000" }, { "\"sliding_window\": 30", "\"sliding_window\": 0" },
        { "\"hop_length\": 160", "\"hop_length\": 80" }, { "\"window_size\": 400", "\"window_size\": 254" },
        { "\"downsample_factor\": 4", "\"downsample_factor\": 0" }, { "\"rope_theta\": 1000000.0", "\"rope_theta\": 0" },
        { "\"num_mel_bins\": 128", "\"num_mel_bins\": 64" }, { "\"ada_rms_norm_t_cond_dim\": 32", "\"ada_rms_norm_t_cond_dim\": 31" },
    };
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) test_replaced(0, huge[i][0], huge[i][1], VOX_OK, NULL);
    test_replaced(0, "\"sampling_rate\": 16000", "\"sampling_rate\": 8000", VOX_ERR_UNSUPPORTED, "16000");
    test_replaced(0, "\"tied_embeddings\": true", "\"tied_embeddings\": false", VOX_ERR_UNSUPPORTED, "tied");
    test_replaced(0, "\"multimodal\"", "\"unimodal\"", VOX_ERR_UNSUPPORTED, "speech");
    test_replaced(0, "{", "", VOX_ERR_FORMAT, "JSON");
}

static void test_tekken(void) {
    test_replaced(1, "\"audio\"", "\"video\"", VOX_ERR_FORMAT, "transcription_delay_ms");
    test_replaced(1, "\"default_vocab_size\": 299", "\"default_vocab_size\": 300", VOX_ERR_FORMAT, "different models");
    test_replaced(1, "\"default_vocab_size\": 299", "\"default_vocab_size\": 1e18", VOX_ERR_FORMAT, NULL);
    test_replaced(1, "\"AA==\"", "\"A===\"", VOX_ERR_FORMAT, "base64");
    test_replaced(1, "\"AA==\"", "\"AA=A\"", VOX_ERR_FORMAT, "base64");
    test_replaced(1, "\"rank\": 1,", "\"rank\": 0,", VOX_ERR_FORMAT, NULL);
    test_replaced(1, "\"transcription_delay_ms\": 480", "\"transcription_delay_ms\": 481", VOX_ERR_FORMAT, "80");
}

static void test_weights(void) {
    test_replaced(2, "layers.0.attention.wq.weight", "layers.0.attention.xq.weight", VOX_ERR_FORMAT, "attention.wq");
    test_replaced(2, "\"dtype\":\"BF16\"", "\"dtype\":\"I16\" ", VOX_ERR_UNSUPPORTED, "BF16");
    test_replaced(2, "\"shape\":[32,96]", "\"shape\":[96,32]", VOX_ERR_FORMAT, "asks for");
    test_replaced(2, "\"shape\":[32,96]", "\"shape\":[32,95]", VOX_ERR_FORMAT, "size");
    test_replaced(2, "\"shape\":[32,96]", "\"shape\":[-2,96]", VOX_ERR_FORMAT, "shape");
    test_replaced(2, "\"shape\":[32,96]", "\"shape\":[1e9,1e9]", VOX_ERR_FORMAT, NULL);
    test_replaced(2, "\"data_offsets\":[0,", "\"data_offsets\":[9,", VOX_ERR_FORMAT, NULL);
    test_replaced(2, "\"data_offsets\":[0,", "\"data_offsets\":[-1,", VOX_ERR_FORMAT, NULL);
    /* Cut off at many places, and with every header length. */
    for (size_t n = 0; n < sizes[2]; n += n < 64 ? 1 : sizes[2] / 37) {
        write_file(names[2], originals[2], n);
        expect("cut off", VOX_ERR_FORMAT, NULL);
    }
    for (int bit = 0; bit < 64; bit++) {
        restore();
        originals[2][bit / 8] = (char)(originals[2][bit / 8] ^ 1 << bit % 8);
        write_file(names[2], originals[2], sizes[2]);
        originals[2][bit / 8] = (char)(originals[2][bit / 8] ^ 1 << bit % 8);
        expect("header length", VOX_ERR_FORMAT, NULL);
    }
    restore();
}

/* Single bytes of the header and of the small files: loading may fail or not, but not crash. */
static void test_flips(void) {
    uint32_t seed = 1;
    for (int i = 0; i < 600; i++) {
        const int file = i % 3;
        seed = seed * 1664525u + 1013904223u;
        const size_t limit = file == 2 && sizes[2] > 9000 ? 9000 : sizes[file], at = (seed >> 8) % limit;
        const char old = originals[file][at];
        originals[file][at] = (char)(old ^ (1 << (seed & 7)));
        write_file(names[file], originals[file], sizes[file]);
        originals[file][at] = old;
        vox_model *m = NULL;
        if (vox_model_load(folder, NULL, &m, NULL, 0) == VOX_OK) {
            static const float silence[4000];
            vox_stream *s = NULL;
            if (vox_stream_open(m, NULL, &s, NULL, 0) == VOX_OK) vox_stream_feed(s, silence, 4000);
            vox_stream_close(s);
        }
        vox_model_free(m);
        write_file(names[file], originals[file], sizes[file]);
    }
    CHECK(1, "survived");
}

static void test_missing(void) {
    char err[256];
    vox_model *m;
    CHECK(vox_model_load("/nowhere", NULL, &m, err, sizeof err) == VOX_ERR_IO && strstr(err, "/nowhere/params.json"), "%s", err);
    CHECK(vox_model_load(NULL, NULL, &m, err, sizeof err) == VOX_ERR_ARGUMENT && m == NULL, "%s", err);
    CHECK(vox_model_load("/nowhere", NULL, &m, NULL, 0) == VOX_ERR_IO, "without room for a sentence");
    vox_model_params p = vox_model_default_params();
    p.kernels = "magic";
    CHECK(vox_model_load(folder, &p, &m, err, sizeof err) == VOX_ERR_ARGUMENT && strstr(err, "magic"), "%s", err);
    p = vox_model_default_params();
    p.threads = -1;
    CHECK(vox_model_load(folder, &p, &m, err, sizeof err) == VOX_ERR_ARGUMENT, "%s", err);
    for (int i = 0; i < 3; i++) {
        char *path = vox_path(folder, names[i]);
        unlink(path);
        expect(names[i], VOX_ERR_IO, names[i]);
        CHECK(mkdir(path, 0700) == 0, "mkdir");
        expect("a folder", VOX_ERR_IO, NULL);
        rmdir(path);
        vox_free(path);
        restore();
    }
}

int main(void) {
    REQUIRE(mkdtemp(folder) != NULL, "no temporary folder");
    for (int i = 0; i < 3; i++) {
        char *path = vox_path(RANDOM_MODEL, names[i]);
        REQUIRE(path && vox_read_file(path, 1 << 24, &originals[i], &sizes[i], NULL) == VOX_OK, "no %s", names[i]);
        vox_free(path);
    }
    restore();
    test_missing();
    test_params();
    test_tekken();
    test_weights();
    test_flips();
    for (int i = 0; i < 3; i++) {
        char *path = vox_path(folder, names[i]);
        unlink(path);
        vox_free(path);
        vox_free(originals[i]);
    }
    rmdir(folder);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
