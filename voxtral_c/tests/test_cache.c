/* test_cache.c - keys and values kept as bytes: the kernels, attention, and what is heard. */
#include <math.h>

#include "speech.h"

static uint64_t seed = 88172645463325252u;

static float noise(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (float)((double)(seed >> 11) / 9007199254740992.0 * 2 - 1);
}

static double difference(const float *a, const float *b, size_t n) {
    double worst = 0, most = 1e-30;
    for (size_t i = 0; i < n; i++) {
        worst = check_most(worst, fabs((double)a[i] - b[i]));
        most = check_most(most, fabs((double)b[i]));
    }
    return worst / most;
}

enum { COLS = 17, DIMS = 256 };

static int8_t q[COLS * DIMS];
static float q_scale[COLS];
static int32_t q_sum[COLS];

/* Columns of bytes, the first one all zero, the second as large as can be. */
static void fill(const vox_kernels *kernels, int dim) {
    for (int c = 0; c < COLS; c++) {
        float x[DIMS], scale;
        int8_t other[DIMS];
        int32_t sum;
        for (int i = 0; i < dim; i++) x[i] = c ? c > 1 ? noise() : 3 : 0;
        vox_kernels_generic()->to_bytes(x, dim, q + c * dim, &q_scale[c], &q_sum[c]);
        kernels->to_bytes(x, dim, other, &scale, &sum);
        CHECK(scale == q_scale[c] && sum == q_sum[c] && !memcmp(other, q + c * dim, (size_t)dim), "%s: bytes of %d",
              kernels->name, dim);
    }
}

enum { FIRST = 64 };

/* Columns first .. first + n - 1 see three blocks, each another part of them; most begin with scores of their own, and
 * the last block's are far larger. */
static void walk(const vox_kernels *k, const vox_byte_block *blocks, int positions, int dim, int first, int n, float *out) {
    static vox_walk w;
    static int8_t weights[COLS * FIRST];
    float scale[COLS];
    memset(&w, 0, sizeof w);
    memset(weights, 0, sizeof weights);
    memset(scale, 0, sizeof scale);
    memset(out, 0, sizeof *out * (size_t)(n * dim));
    w.q = (vox_bytes){ q + first * dim, (size_t)dim, q_scale + first, q_sum + first };
    w.columns = n;
    w.out = out;
    for (int c = 0; c < n; c++) {
        float scores[FIRST], scales[FIRST];
        const int at = first + c;
        for (int i = 0; i < FIRST; i++) {
            scores[i] = i % 5 ? (float)(at * i % 7) - 3 : -INFINITY;
            scales[i] = (float)(i % 3);
        }
        w.level[c] = -INFINITY;
        if (at % 4) k->weigh_first(&w, c, scores, scales, at % 8 < 4 ? FIRST : FIRST / 4, weights + c * FIRST, &scale[c]);
        w.from[c] = 1 + at % 3 * positions / 2;
        w.to[c] = 3 * positions - 1 - at % 5 * positions / 3;
    }
    const vox_bytes bytes = { weights, FIRST, scale, NULL };
    k->add_bytes(blocks[1].values, FIRST, dim, &bytes, n, out);
    for (int i = 0; i < 3; i++) {
        const uint8_t *next = blocks[(i + 1) % 3].keys;
        const vox_ahead ahead = { { next, next + 64, next + 128, next + 192 }, i };
        k->walk_block(&blocks[i], &ahead, positions, dim, i * positions, &w);
    }
    for (int c = 0; c < n; c++) {
        float sum = 0;
        for (int i = 0; i < VOX_WALK_LANES; i++) sum += w.sums[c][i];
        for (int i = 0; i < dim; i++) out[c * dim + i] /= sum;
    }
}

static void test_kernels(const vox_kernels *k, int positions, int dim) {
    enum { BLOCK = VOX_KV_MAX_BLOCK };
    static uint8_t keys[3][BLOCK * DIMS];
    static int8_t values[3][BLOCK * DIMS];
    static float scales[2][3][BLOCK], y[COLS * DIMS], want[COLS * DIMS], one[DIMS];
    vox_byte_block blocks[3];
    for (int b = 0; b < 3; b++) {
        for (int i = 0; i < BLOCK * DIMS; i++) {
            keys[b][i] = (uint8_t)(i % 5 ? 128 + 127 * noise() : 1);
            values[b][i] = (int8_t)(i % 7 ? 127 * noise() : -127);
        }
        for (int i = 0; i < BLOCK; i++) {
            scales[0][b][i] = (b == 2 ? 0.02f : 0.001f) * fabsf(noise());
            scales[1][b][i] = fabsf(noise());
        }
        blocks[b] = (vox_byte_block){ keys[b], values[b], scales[0][b], scales[1][b] };
    }
    fill(k, dim);
    const vox_bytes columns = { q, (size_t)dim, q_scale, q_sum };
    k->score_bytes(blocks, positions, dim, &columns, COLS, y, DIMS);
    vox_kernels_generic()->score_bytes(blocks, positions, dim, &columns, COLS, want, DIMS);
    for (int c = 0; c < COLS; c++) {
        const vox_bytes alone = { q + c * dim, (size_t)dim, q_scale + c, q_sum + c };
        k->score_bytes(blocks, positions, dim, &alone, 1, one, DIMS);
        CHECK(!memcmp(y + c * DIMS, want + c * DIMS, sizeof(float) * (size_t)positions) &&
              !memcmp(y + c * DIMS, one, sizeof(float) * (size_t)positions), "%s: scores %d x %d", k->name, positions, dim);
    }
    /* What no column sees may be anything. */
    scales[0][0][0] = scales[1][2][positions - 1] = NAN;
    walk(k, blocks, positions, dim, 0, COLS, y);
    walk(vox_kernels_generic(), blocks, positions, dim, 0, COLS, want);
    CHECK(difference(y, want, (size_t)(COLS * dim)) < 0.01, "%s: walk %d x %d: %g", k->name, positions, dim,
          difference(y, want, (size_t)(COLS * dim)));
    for (int c = 0; c < COLS; c++) {
        walk(k, blocks, positions, dim, c, 1, one);
        CHECK(!memcmp(y + c * dim, one, sizeof(float) * (size_t)dim), "%s: column %d depends on the batch", k->name, c);
    }
}

/* ---- attention ------------------------------------------------------------------------- */

enum { HEADS = 8, KV_HEADS = 2, DIM = 64, WINDOW = 300, POSITIONS = 500, BATCH = 16 };

static const vox_stack_config stack = { .dim = HEADS * DIM, .n_layers = 1, .n_heads = HEADS, .n_kv_heads = KV_HEADS,
                                        .head_dim = DIM, .hidden_dim = 1, .window = WINDOW, .rope_theta = 1e6,
                                        .max_positions = 1 << 20 };

/* Attention of the positions from `first` on, those of `tree` if it is not NULL. */
static void attend(const vox_kernels *k, int bytes, int in_order, int positions, int first, int n, const vox_tree *tree, float *o) {
    static float kv_numbers[2][POSITIONS][KV_HEADS * DIM], queries[BATCH][HEADS * DIM], near[2][BATCH][KV_HEADS * DIM];
    vox_compute c = { .kernels = k, .pool = vox_pool_new(1), .scratch_size = vox_attention_scratch(&stack, BATCH) };
    vox_kv kv;
    c.scratch = vox_alloc(c.scratch_size, sizeof *c.scratch);
    REQUIRE(c.pool && c.scratch && vox_kv_init(&kv, &stack, positions, BATCH, bytes ? k : NULL) == VOX_OK, "no memory");
    kv.in_order = in_order;
    seed = 7;
    for (int v = 0; v < 2; v++)
        for (int p = 0; p < POSITIONS; p++)
            for (int i = 0; i < KV_HEADS * DIM; i++) kv_numbers[v][p][i] = noise();
    for (int i = 0; i < BATCH; i++)
        for (int j = 0; j < HEADS * DIM; j++) queries[i][j] = 5 * kv_numbers[0][300 + i][j % (KV_HEADS * DIM)] + noise();
    for (int p = 0; p < first; p++) {
        REQUIRE(vox_kv_prepare(&kv, p, 1) == VOX_OK, "no memory");
        for (int h = 0; h < KV_HEADS; h++) vox_kv_write(&kv, 0, h, p, 1, kv_numbers[0][p], kv_numbers[1][p]);
    }
    /* A column's key, value and query are those of its position. */
    static float q_batch[BATCH][HEADS * DIM];
    for (int i = 0; i < n; i++) {
        const int at = tree ? tree->depth[i] : i;
        for (int v = 0; v < 2; v++) memcpy(near[v][i], kv_numbers[v][first + at], sizeof near[v][i]);
        memcpy(q_batch[i], queries[(first + at) % BATCH], sizeof q_batch[i]);
    }
    REQUIRE(vox_kv_prepare(&kv, first, n) == VOX_OK, "no memory");
    for (int h = 0; h < KV_HEADS; h++) vox_kv_write(&kv, 0, h, first, n, near[0][0], near[1][0]);
    vox_attention(&c, &stack, &kv, 0, first, n, tree, q_batch[0], o);
    vox_kv_free(&kv);
    vox_pool_free(c.pool);
    vox_free(c.scratch);
}

/* Bytes give nearly what floats give, and the same bits in every batch and every tree. */
static void test_attention(const vox_kernels *k) {
    static float want[BATCH][HEADS * DIM], o[BATCH][HEADS * DIM], one[HEADS * DIM];
    static const int firsts[] = { 0, 30, 63, 100, 256, 310, 377, 484 };
    /* The second half of the tree repeats the first along other columns. */
    static const vox_tree tree = { { -1, 0, 1, 2, 3, 4, -1, 6, 7, 8, 9, 10, 11, 12, 13, 14 },
                                   { 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 } };
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i += BRIEF ? 3 : 1)
        for (int positions = 32; positions <= 64; positions += 32) {
            attend(k, 0, 0, positions, firsts[i], BATCH, NULL, want[0]);
            for (int in_order = 0; in_order < 2; in_order++) {
                attend(k, 1, in_order, positions, firsts[i], BATCH, NULL, o[0]);
                const double error = difference(o[0], want[0], BATCH * HEADS * DIM);
                CHECK(error > 1e-6 && error < 0.03, "%s, from %d: %g", k->name, firsts[i], error);
                int same = 1;
                for (int j = 0; j < BATCH; j++) {
                    attend(k, 1, in_order, positions, firsts[i] + j, 1, NULL, one);
                    if (memcmp(one, o[j], sizeof one)) same = 0;
                }
                CHECK(same, "%s, from %d: depends on the batch", k->name, firsts[i]);
            }
            attend(k, 1, 0, positions, firsts[i], BATCH, NULL, o[0]);
            attend(k, 1, 0, positions, firsts[i], BATCH, &tree, want[0]);
            int same = 1;
            for (int j = 0; j < BATCH; j++) if (memcmp(want[j], o[tree.depth[j]], sizeof want[j])) same = 0;
            CHECK(same, "%s, from %d: depends on the tree", k->name, firsts[i]);
        }
}

/* ---- what is heard --------------------------------------------------------------------- */

static vox_model *load_with_bytes(int max_positions) {
    vox_model *m = load_model(SPEECH_MODEL, NULL, 2, VOX_PRECISION_AUTO);
    CHECK(!m->cache_bytes, "exact weights have an exact cache");
    m->cache_bytes = 1;
    if (max_positions) {
        m->config.decoder.max_positions = max_positions;
        m->config.encoder.max_positions = max_positions * m->config.downsample;
    }
    return m;
}

/* Every clip alone, and all of them in one utterance of which positions run out. */
static void test_words(const clip *clips, int n) {
    static collected c;
    static char all[4096];
    vox_model *m = load_with_bytes(200);
    vox_stream *s;
    for (int i = 0; i < n; i++) {
        s = open_stream(m, 0, 0.5, &c);
        speak(s, clips[i].samples, clips[i].n, 5000);
        CHECK(!strcmp(c.text[0] == ' ' ? c.text + 1 : c.text, clips[i].text), "%s: %s", clips[i].name, c.text);
        vox_stream_close(s);
    }
    s = open_stream(m, 0, 0.5, &c);
    for (int i = 0; i < (BRIEF ? n : 2 * n); i++) {
        if (!strcmp(clips[i % n].name, "demo.wav")) continue;
        REQUIRE(vox_stream_feed(s, clips[i % n].samples, clips[i % n].n) == VOX_OK, "%s", vox_stream_error(s));
        snprintf(all + strlen(all), sizeof all - strlen(all), " %s", clips[i % n].text);
    }
    CHECK(s->state.decoder_kv.anchor > 0 && s->state.encoder_kv.anchor > 0, "positions did not run out");
    REQUIRE(vox_stream_flush(s) == VOX_OK, "%s", vox_stream_error(s));
    CHECK(!strcmp(c.text, all), "%s", c.text);
    vox_stream_close(s);
    vox_model_free(m);
}

/* Tokens and probabilities do not depend on guesses, pieces and intervals. */
static void test_same(const clip *demo) {
    static collected plain, c;
    static const double intervals[] = { 0.08, 0.5, 2 };
    vox_model *m = load_with_bytes(0);
    vox_stream *s = open_stream(m, 0, 0.5, &plain);
    s->drafter.columns = 1;
    speak(s, demo->samples, demo->n, demo->n);
    vox_stream_close(s);
    for (int i = 0; i < (BRIEF ? 1 : 3); i++) {
        s = open_stream(m, 0, intervals[i], &c);
        s->drafter.columns = VOX_DRAFT_COLUMNS;
        s->drafter.always = 1;
        speak(s, demo->samples, demo->n, 1000 + 777 * (size_t)i);
        CHECK(c.n == plain.n && !memcmp(c.ids, plain.ids, sizeof(int) * (size_t)c.n) &&
              !memcmp(c.probability, plain.probability, sizeof(float) * (size_t)c.n), "interval %g", intervals[i]);
        vox_stream_close(s);
    }
    vox_model_free(m);
}

int main(void) {
    static clip clips[MAX_CLIPS];
    const int n = clips_read(clips);
    const vox_kernels *k;
    for (int i = 0; (k = vox_kernels_at(i)) != NULL; i++) {
        test_kernels(k, 32, 128);
        test_kernels(k, 64, 64);
        test_kernels(k, 32, 32);
        test_kernels(k, 64, 256);
        test_attention(k);
    }
    test_words(clips, n);
    test_same(clip_named(clips, n, "demo.wav"));
    clips_free(clips, n);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
