/* test_gguf.c - models as one file: written by the engine, read again, damaged in every way. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

static char folder[64] = "/tmp/vox-gguf-XXXXXX";
static collected base, c;

static char *in_folder(const char *name) {
    char *path = vox_path(folder, name);
    REQUIRE(path != NULL, "no memory");
    return path;
}

static vox_status convert(const char *from, const char *to, vox_precision type, int overwrite, char *err, size_t size) {
    const vox_quantize_params p = { .type = type, .threads = 2, .overwrite = overwrite };
    return vox_quantize_model(from, to, &p, err, size);
}

static void hear(const char *model, const float *samples, size_t n, collected *out) {
    vox_model *m = load_model(model, NULL, 2, VOX_PRECISION_AUTO);
    vox_stream *s = open_stream(m, 0, 0.5, out);
    speak(s, samples, n, 1280);
    vox_stream_close(s);
    vox_model_free(m);
}

/* In the floating-point types nothing at all changes: not the words, not a bit of the numbers. */
static void test_exact(const float *samples, size_t n) {
    static const vox_precision types[] = { VOX_PRECISION_BF16, VOX_PRECISION_F32 };
    char err[256], *path = in_folder("exact.gguf"), *again = in_folder("again.gguf");
    hear(RANDOM_MODEL, samples, n, &base);
    CHECK(base.n > 20, "%d tokens", base.n);
    for (int i = 0; i < 2; i++) {
        REQUIRE(convert(RANDOM_MODEL, path, types[i], 1, err, sizeof err) == VOX_OK, "%s", err);
        REQUIRE(convert(path, again, VOX_PRECISION_BF16, 1, err, sizeof err) == VOX_OK, "%s", err);
        for (int j = 0; j < 2; j++) {
            hear(j ? again : path, samples, n, &c);
            CHECK(c.n == base.n && !memcmp(c.ids, base.ids, sizeof(int) * (size_t)c.n), "other tokens");
            CHECK(!memcmp(c.probability, base.probability, sizeof(float) * (size_t)c.n), "other probabilities");
            CHECK(!strcmp(c.text, base.text), "other text");
        }
    }
    unlink(path);
    unlink(again);
    vox_free(path);
    vox_free(again);
}

static void test_info(void) {
    vox_model *official = load_model(RANDOM_MODEL, NULL, 1, VOX_PRECISION_AUTO);
    char err[256], *path = in_folder("info.gguf");
    REQUIRE(convert(RANDOM_MODEL, path, VOX_PRECISION_Q4_K_M, 1, err, sizeof err) == VOX_OK, "%s", err);
    vox_model *m = load_model(folder, NULL, 1, VOX_PRECISION_AUTO);       /* the only one in the folder */
    vox_model_info a, b;
    vox_model_get_info(official, &a);
    vox_model_get_info(m, &b);
    CHECK(a.vocab_size == b.vocab_size && a.parameters == b.parameters && a.default_delay_ms == b.default_delay_ms, "other facts");
    CHECK(!strcmp(b.precision, "q8_0"), "rows of 96 are too short for 4 bit: %s", b.precision);
    for (int id = -1; id <= a.vocab_size; id++) {
        size_t n, k;
        const char *x = vox_model_token_bytes(official, id, &n), *y = vox_model_token_bytes(m, id, &k);
        CHECK(n == k && !x == !y && (!x || !memcmp(x, y, n)), "token %d", id);
    }
    vox_model_free(m);
    vox_model_free(official);
    unlink(path);
    vox_free(path);
}

static int files_in_folder(void) {
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) n += e->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}

static int stop_in_the_middle(double done, void *user) {
    int *calls = user;
    ++*calls;
    return done > 0.3;
}

static void test_refused(void) {
    char err[256] = "", *path = in_folder("a.gguf"), *other = in_folder("b.gguf"), *far = in_folder("no/where.gguf");
    int calls = 0;
    CHECK(convert("/nowhere", path, VOX_PRECISION_Q8_0, 0, err, sizeof err) == VOX_ERR_IO && strstr(err, "/nowhere"), "%s", err);
    CHECK(convert(RANDOM_MODEL, path, VOX_PRECISION_AUTO, 0, err, sizeof err) == VOX_ERR_ARGUMENT, "%s", err);
    CHECK(convert(RANDOM_MODEL, far, VOX_PRECISION_Q8_0, 0, err, sizeof err) == VOX_ERR_IO && strstr(err, far), "%s", err);
    CHECK(files_in_folder() == 0, "something was left behind");
    CHECK(convert(RANDOM_MODEL, path, VOX_PRECISION_Q8_0, 0, err, sizeof err) == VOX_OK, "%s", err);
    CHECK(convert(RANDOM_MODEL, path, VOX_PRECISION_BF16, 0, err, sizeof err) == VOX_ERR_ARGUMENT && strstr(err, "already"), "%s", err);
    CHECK(convert(path, other, VOX_PRECISION_BF16, 0, err, sizeof err) == VOX_ERR_UNSUPPORTED && strstr(err, "q8_0"), "%s", err);
    const vox_quantize_params p = { .type = VOX_PRECISION_Q8_0, .on_progress = stop_in_the_middle, .user = &calls };
    CHECK(vox_quantize_model(RANDOM_MODEL, other, &p, err, sizeof err) == VOX_ERR_ABORTED && calls > 1, "%s", err);
    CHECK(files_in_folder() == 1, "an unfinished file was left behind");
    vox_model *m;
    CHECK(convert(RANDOM_MODEL, other, VOX_PRECISION_Q8_0, 0, err, sizeof err) == VOX_OK, "%s", err);
    CHECK(vox_model_load(folder, NULL, &m, err, sizeof err) == VOX_ERR_ARGUMENT && strstr(err, "several"), "%s", err);
    vox_model_params q = vox_model_default_params();
    q.precision = VOX_PRECISION_Q4_K_M;
    CHECK(vox_model_load(path, &q, &m, err, sizeof err) == VOX_ERR_UNSUPPORTED && strstr(err, "q8_0"), "%s", err);
    q.precision = VOX_PRECISION_BF16;
    CHECK(vox_model_load(path, &q, &m, err, sizeof err) == VOX_ERR_UNSUPPORTED && strstr(err, "q8_0"), "%s", err);
    unlink(path);
    unlink(other);
    vox_free(path);
    vox_free(other);
    vox_free(far);
}

/* ---- damage ---------------------------------------------------------------------------- */

static void write_file(const char *path, const char *data, size_t n) {
    FILE *f = fopen(path, "wb");
    REQUIRE(f && fwrite(data, 1, n, f) == n && fclose(f) == 0, "cannot write %s", path);
}

static void expect(const char *path, vox_status status, const char *part) {
    char err[512] = "";
    vox_model *m = NULL;
    const vox_status got = vox_model_load(path, NULL, &m, err, sizeof err);
    CHECK(got != VOX_OK && !m && (!status || got == status), "%s: %s", vox_status_name(got), err);
    CHECK(strlen(err) > 10 && err[strlen(err) - 1] == '.' && (!part || strstr(err, part)), "no sentence: %s", err);
    vox_model_free(m);
}

/* The bytes behind a key, where its value is. */
static size_t find(const char *data, size_t n, const char *key) {
    const size_t k = strlen(key);
    for (size_t i = 0; i + k < n; i++)
        if (!memcmp(data + i, key, k)) return i + k;
    REQUIRE(0, "%s is not in the file", key);
    return 0;
}

static void test_changed(char *data, size_t n, const char *path, const char *key, size_t skip, uint32_t value, vox_status status,
                         const char *part) {
    const size_t at = find(data, n, key) + skip;
    uint32_t old;
    memcpy(&old, data + at, 4);
    memcpy(data + at, &value, 4);
    write_file(path, data, n);
    expect(path, status, part);
    memcpy(data + at, &old, 4);
}

static void test_damage(void) {
    char err[256], *path = in_folder("damaged.gguf"), *data;
    size_t n;
    REQUIRE(convert(RANDOM_MODEL, path, VOX_PRECISION_Q8_0, 1, err, sizeof err) == VOX_OK, "%s", err);
    REQUIRE(vox_read_file(path, 1 << 24, &data, &n, NULL) == VOX_OK, "cannot read it again");
    const size_t head = find(data, n, "dec.blocks.2.ada.linear_2.weight") + 40;
    for (size_t cut = 0; cut < n; cut += cut < 64 ? 1 : cut < head ? 211 : 9973) {
        write_file(path, data, cut);
        expect(path, VOX_ERR_FORMAT, NULL);
    }
    test_changed(data, n, path, "GGUF", 0, 4, VOX_ERR_UNSUPPORTED, "version");
    test_changed(data, n, path, "GGUF", 4, 0xffffffff, VOX_ERR_FORMAT, NULL);             /* tensors */
    test_changed(data, n, path, "GGUF", 12, 0x7fffffff, VOX_ERR_FORMAT, NULL);            /* values */
    test_changed(data, n, path, "general.architecture", 0, 13, VOX_ERR_FORMAT, "type");
    test_changed(data, n, path, "general.architecture", 12, 0x6d616c6c, VOX_ERR_UNSUPPORTED, "architecture");
    test_changed(data, n, path, "encoder.n_layers", 4, 3, VOX_ERR_FORMAT, "enc.blocks.2");
    test_changed(data, n, path, "decoder.hidden_size", 4, 128, VOX_ERR_FORMAT, "asks for");
    test_changed(data, n, path, "decoder.n_heads", 4, 0, VOX_ERR_FORMAT, "n_heads");
    test_changed(data, n, path, "decoder.n_heads", 4, 7, VOX_ERR_UNSUPPORTED, "multiple");
    test_changed(data, n, path, "encoder.rope_theta", 4, 0x7fc00000, VOX_ERR_FORMAT, "rope_theta");
    test_changed(data, n, path, "frontend.hop_length", 4, 80, VOX_ERR_UNSUPPORTED, "80 ms");
    test_changed(data, n, path, "frontend.normalize", 12, 0x20202020, VOX_ERR_UNSUPPORTED, "normalize");
    test_changed(data, n, path, "tokenizer.ggml.model", 12, 0x74736574, VOX_ERR_UNSUPPORTED, "gpt2");
    test_changed(data, n, path, "tokenizer.ggml.token_type", 8, 5, VOX_ERR_FORMAT, NULL);
    test_changed(data, n, path, "tokenizer.ggml.token_type", 16 + 4 * 5, 1, VOX_ERR_FORMAT, "special");
    test_changed(data, n, path, "default_num_delay_tokens", 4, 31, VOX_ERR_FORMAT, "delay");
    test_changed(data, n, path, "dec.blocks.0.attn.q.weight", 4, 64, VOX_ERR_FORMAT, "dec.blocks.0.attn.q");
    test_changed(data, n, path, "dec.blocks.0.attn.q.weight", 4, 95, VOX_ERR_FORMAT, "blocks");
    test_changed(data, n, path, "dec.blocks.0.attn.q.weight", 0, 3, VOX_ERR_FORMAT, NULL);
    test_changed(data, n, path, "dec.blocks.0.attn.q.weight", 20, 2, VOX_ERR_UNSUPPORTED, "type");     /* Q4_0 */
    test_changed(data, n, path, "dec.blocks.0.attn.q.weight", 24, 0xfffffff0, VOX_ERR_FORMAT, "outside");
    test_changed(data, n, path, "dec.blocks.0.attn.q.weight", 28, 0xffffffff, VOX_ERR_FORMAT, "outside");
    test_changed(data, n, path, "dec.blocks.0.norm_attn.weight", 4, 95, VOX_ERR_FORMAT, "asks for");
    uint32_t seed = 1;
    for (int i = 0; i < 500; i++) {                  /* may load or not, must not crash */
        seed = seed * 1664525u + 1013904223u;
        const size_t at = (seed >> 8) % head;
        data[at] = (char)(data[at] ^ 1 << (seed & 7));
        write_file(path, data, n);
        vox_model *m = NULL;
        vox_model_load(path, NULL, &m, NULL, 0);
        vox_model_free(m);
        data[at] = (char)(data[at] ^ 1 << (seed & 7));
    }
    vox_free(data);
    unlink(path);
    vox_free(path);
}

/* ---- the cache ------------------------------------------------------------------------- */

static int count_progress(double done, void *user) {
    (void)done;
    ++*(int *)user;
    return 0;
}

static int load_quantised(const char *model, const char *cache, const char *want) {
    char err[256];
    vox_model *m;
    int calls = 0;
    vox_model_params p = vox_model_default_params();
    p.precision = VOX_PRECISION_Q8_0;
    p.cache_dir = cache;
    p.on_progress = count_progress;
    p.user = &calls;
    REQUIRE(vox_model_load(model, &p, &m, err, sizeof err) == VOX_OK, "%s", err);
    vox_model_info info;
    vox_model_get_info(m, &info);
    CHECK(!strcmp(info.precision, want), "%s", info.precision);
    vox_model_free(m);
    return calls;
}

static void copy_file(const char *from_folder, const char *to_folder, const char *name) {
    char *from = vox_path(from_folder, name), *to = vox_path(to_folder, name), *data;
    size_t n;
    REQUIRE(from && to && vox_read_file(from, 1 << 24, &data, &n, NULL) == VOX_OK, "cannot copy %s", name);
    write_file(to, data, n);
    vox_free(data);
    vox_free(from);
    vox_free(to);
}

/* Made once, used after; made again, the old one gone, when the model has changed. */
static void test_cache(void) {
    static const char *const names[] = { "params.json", "tekken.json", "consolidated.safetensors" };
    char *model = in_folder("model"), *cache = in_folder("some/cache");
    mkdir(model, 0700);
    for (int i = 0; i < 3; i++) copy_file(RANDOM_MODEL, model, names[i]);
    CHECK(load_quantised(model, cache, "q8_0") > 0, "nothing was made");
    CHECK(load_quantised(model, cache, "q8_0") == 0, "made twice");
    char *weights = vox_path(model, names[2]);
    FILE *f = fopen(weights, "ab");
    REQUIRE(f && fputc(0, f) != EOF && fclose(f) == 0, "cannot change %s", weights);
    CHECK(load_quantised(model, cache, "q8_0") > 0, "the change was not seen");
    char command[256];
    snprintf(command, sizeof command, "test $(ls %s | wc -l) = 1", cache);
    CHECK(system(command) == 0, "the old copy was kept");
    snprintf(command, sizeof command, "rm -r %s %s/some", model, folder);
    CHECK(system(command) == 0, "rm");
    vox_free(weights);
    vox_free(model);
    vox_free(cache);
}

/* Each allocation failing in turn: a status, no crash, nothing left. */
static void test_no_memory(void) {
    char err[256], *path = in_folder("memory.gguf");
    int failures = 0;
    for (long nth = 1; nth < 1000; nth++) {
        vox_alloc_fail_at(nth);
        const vox_status status = convert(RANDOM_MODEL, path, VOX_PRECISION_Q8_0, 1, err, sizeof err);
        if (!vox_alloc_fail_at(0)) break;
        failures++;
        CHECK(status == VOX_ERR_MEMORY, "%ld: %s", nth, err);
    }
    CHECK(failures > 20, "%d failures", failures);
    unlink(path);
    vox_free(path);
    CHECK(files_in_folder() == 0, "a file was left behind");
}

int main(void) {
    vox_tensors golden;
    size_t n;
    REQUIRE(mkdtemp(folder) != NULL, "no temporary folder");
    open_golden(&golden);
    float *samples = reference_samples(&golden, &n);
    test_exact(samples, n);
    test_info();
    test_refused();
    test_damage();
    test_cache();
    test_no_memory();
    vox_free(samples);
    vox_tensors_close(&golden);
    CHECK(rmdir(folder) == 0, "the folder is not empty");
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
