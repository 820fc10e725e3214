/* test_draft.c - guessing changes nothing but the number of passes: the same tokens with the same
 * probabilities, whatever is guessed, in whatever pieces the audio comes. */
#include <math.h>

#include "common.h"

#define TRAINED_MODEL "voxtui/assets/tiny"
#define CLIP "voxtui/assets/clips/computer_open_music.wav"

enum { HEADER = 44, MAX_SAMPLES = 100000, FORCED = 600 };

static float clip[MAX_SAMPLES];
static size_t n_clip;

static void read_clip(void) {
    static int16_t pcm[MAX_SAMPLES];
    FILE *f = fopen(CLIP, "rb");
    REQUIRE(f != NULL, "no " CLIP);
    REQUIRE(fseek(f, HEADER, SEEK_SET) == 0, "cannot seek");
    n_clip = fread(pcm, sizeof *pcm, MAX_SAMPLES, f);
    fclose(f);
    for (size_t i = 0; i < n_clip; i++) clip[i] = (float)pcm[i] / 32768.0f;
    REQUIRE(n_clip > 16000, "only %zu samples", n_clip);
}

/* How a stream is made to guess. */
typedef struct way {
    int columns, always;      /* of the drafter */
    double interval;
    size_t piece;
} way;

typedef struct speech {
    vox_model *model;
    const float *samples;
    size_t n;
    int delay_ms;
    const int *forced;        /* NULL = free running */
    int n_forced;
} speech;

/* Returns the passes. */
static int64_t listen(const speech *sp, const way *w, collected *c) {
    vox_stream *s = open_stream(sp->model, sp->delay_ms, w->interval, c);
    s->drafter.columns = w->columns;
    s->drafter.always = w->always;
    s->forced = sp->forced;
    s->n_forced = sp->n_forced;
    speak(s, sp->samples, sp->n, w->piece);
    vox_stream_close(s);
    return c->last_end.decoder_passes;
}

static void check_same(const collected *a, const collected *b, const way *w, const char *what) {
    const size_t n = (size_t)a->n;
    CHECK(a->n == b->n && !memcmp(a->ids, b->ids, n * sizeof *a->ids), "%s: other tokens with %d columns, interval %g, pieces of %zu",
          what, w->columns, w->interval, w->piece);
    CHECK(!memcmp(a->probability, b->probability, n * sizeof *a->probability), "%s: other probabilities with %d columns, interval %g, pieces of %zu",
          what, w->columns, w->interval, w->piece);
    CHECK(!strcmp(a->text, b->text) && a->last_time == b->last_time, "%s: other text or times", what);
}

static const way plain = { 1, 0, 1.28, 1 << 20 };
static const way ways[] = {
    { 2, 1, 1.28, 1 << 20 }, { 3, 1, 0.5, 1280 }, { 4, 1, 5, 9000 },  { 5, 1, 0.3, 37 },
    { 6, 1, 1, 4000 },       { 7, 1, 2, 777 },    { 8, 1, 1.28, 5000 }, { 0, 0, 0.5, 1 << 20 },
};
enum { N_WAYS = sizeof ways / sizeof *ways };

/* Returns the fewest passes of all ways; *tokens is what they make. */
static int64_t test_ways(const speech *sp, const char *what, int *tokens) {
    static collected base, c;
    int64_t fewest = INT64_MAX;
    CHECK(listen(sp, &plain, &base) == base.n - 1, "%s: a pass for each token but the prompt's", what);
    for (int i = 0; i < N_WAYS; i++) {
        const int64_t passes = listen(sp, &ways[i], &c);
        check_same(&base, &c, &ways[i], what);
        CHECK(passes < c.n && passes == c.last_end.decoder_passes, "%d passes", (int)passes);
        if (passes < fewest) fewest = passes;
    }
    *tokens = base.n;
    return fewest;
}

static void test_kernels_and_threads(const float *samples, size_t n, const int *forced) {
    const vox_kernels *k;
    int tokens;
    for (int i = 0; (k = vox_kernels_at(i)) != NULL; i++)
        for (int threads = BRIEF ? 2 : 1; threads <= (BRIEF ? 2 : 3); threads++) {
            vox_model *m = load_model(RANDOM_MODEL, k->name, threads, VOX_PRECISION_AUTO);
            speech sp = { m, samples, n, 480, NULL, 0 };
            test_ways(&sp, k->name, &tokens);
            /* Its own tokens are noise; with those of speech guesses come true. */
            sp.forced = forced;
            sp.n_forced = FORCED;
            const int64_t passes = test_ways(&sp, k->name, &tokens);
            CHECK(passes * 3 < tokens * 2, "%s: %d passes for %d tokens", k->name, (int)passes, tokens);
            vox_model_free(m);
        }
}

static void test_delays(const char *dir, const float *samples, size_t n, int trained) {
    vox_model *m = load_model(dir, NULL, 2, VOX_PRECISION_AUTO);
    for (int delay = 1; delay <= 16; delay += BRIEF ? 15 : 1) {
        const speech sp = { m, samples, n, delay <= 15 ? delay * 80 : 2400, NULL, 0 };
        int tokens;
        const int64_t passes = test_ways(&sp, dir, &tokens);
        if (trained) CHECK(passes * 2 < tokens, "delay %d: %d passes for %d tokens", delay, (int)passes, tokens);
    }
    vox_model_free(m);
}

/* Round the rings of a model with small windows, several times. */
static void test_long(const float *samples, size_t n, const int *forced) {
    enum { TIMES = BRIEF ? 4 : 8 };
    float *many = vox_alloc(TIMES * n, sizeof *many);
    int tokens;
    REQUIRE(many != NULL, "no memory");
    for (size_t i = 0; i < TIMES; i++) memcpy(many + i * n, samples, n * sizeof *many);
    vox_model *m = load_model(RANDOM_MODEL, NULL, 2, VOX_PRECISION_AUTO);
    const speech sp = { m, many, TIMES * n, 480, forced, FORCED };
    test_ways(&sp, "long", &tokens);
    CHECK(tokens > 38 * TIMES, "only %d tokens", tokens);
    vox_model_free(m);
    vox_free(many);
}

/* The tree: no more columns than allowed, parents before children, guesses not too deep. */
static void test_tree(void) {
    vox_drafter d;
    int ids[VOX_MAX_TREE] = { VOX_STREAMING_PAD };
    vox_tree tree = { { -1 }, { 0 } };
    vox_drafter_init(&d);
    d.always = 1;
    CHECK(vox_draft(&d, 1, 0, ids, &tree) == 1, "nothing waits");
    CHECK(vox_draft(&d, 1, 1, ids, &tree) == 3 && ids[1] == VOX_STREAMING_PAD && ids[2] == VOX_STREAMING_WORD &&
          tree.parent[1] == 0 && tree.parent[2] == 0 && tree.depth[2] == 1, "one ahead");
    const int n = vox_draft(&d, 1, 15, ids, &tree);
    CHECK(n == VOX_DRAFT_COLUMNS, "%d columns", n);
    for (int i = 1; i < n; i++)
        CHECK(tree.parent[i] < i && tree.depth[i] == tree.depth[tree.parent[i]] + 1, "column %d", i);
    d.columns = 4;
    CHECK(vox_draft(&d, 1, 15, ids, &tree) == 4, "at most four");
    /* Behind a word mark comes text that nothing is known of yet. */
    ids[0] = VOX_STREAMING_WORD;
    CHECK(vox_draft(&d, 1, 15, ids, &tree) == 1, "no guess");
    vox_drafter_saw(&d, VOX_STREAMING_WORD, 1234);
    CHECK(vox_draft(&d, 1, 15, ids, &tree) == 4 && ids[1] == 1234 && ids[2] == VOX_STREAMING_PAD && tree.depth[2] == 2, "a guess");
    /* What does not pay is not done. */
    vox_drafter_init(&d);
    ids[0] = VOX_STREAMING_PAD;
    for (int i = 0; i < 800; i++) vox_drafter_took(&d, 1 + i % 8, 10.0 * (1 + i % 8));
    CHECK(vox_draft(&d, 1, 15, ids, &tree) == 1, "columns cost as much as passes");
    vox_drafter_init(&d);
    for (int i = 0; i < 200; i++) {
        vox_drafter_took(&d, 1 + i % 8, i % 8 < 4 ? 10 : 30);
        vox_drafter_saw(&d, VOX_STREAMING_PAD, 1234);
    }
    CHECK(vox_draft(&d, 1, 15, ids, &tree) == 4 && tree.parent[3] == 2, "four are free, and only pads come");
    /* Costs stay as they are while the machine has other work, and for ever. */
    for (int i = 0; i < 1000000; i++) vox_drafter_took(&d, 1 + i % 8, (i % 8 < 4 ? 10 : 30) * (i % 5000 < 300 ? 2.5 : 1));
    for (int i = 0; i < 30; i++) vox_drafter_took(&d, 4, 25);
    CHECK(fabs(d.cost[4] - 1) < 0.2 && fabs(d.cost[8] - 3) < 0.4, "four columns cost %g, eight %g", d.cost[4], d.cost[8]);
    CHECK(fabs(d.ms - 25) < 5, "a pass takes %g ms", d.ms);
}

/* The mix of speech: pads, word marks each followed by text. */
static void make_forced(int *forced) {
    static const char kinds[] = "PPPPPPPPPWTTTPWTTPPPPPPWTTTPPPWTPWTTPPPWTTPPWTPPPPPPWTTPPPPPPPPPPPPPP";
    for (int i = 0; i < FORCED; i++) {
        const char kind = kinds[(size_t)i % (sizeof kinds - 1)];
        forced[i] = kind == 'P' ? VOX_STREAMING_PAD : kind == 'W' ? VOX_STREAMING_WORD : 200 + i * 7 % 90;
    }
}

int main(void) {
    static int forced[FORCED];
    vox_tensors golden;
    size_t n;
    open_golden(&golden);
    float *samples = reference_samples(&golden, &n);
    read_clip();
    make_forced(forced);
    test_tree();
    test_kernels_and_threads(samples, n / 2, forced);
    test_delays(RANDOM_MODEL, samples, n / 2, 0);
    test_delays(TRAINED_MODEL, clip, n_clip, 1);
    test_long(samples, n, forced);
    vox_free(samples);
    vox_tensors_close(&golden);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
