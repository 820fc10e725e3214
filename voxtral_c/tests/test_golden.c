/* test_golden.c - every intermediate tensor of a small random model against the reference
 * implementation's, then the tokens it generates by itself, for each set of kernels and the
 * GPU, if only Vulkan in software. */
#include <math.h>

#include "common.h"

enum { MAX_TENSORS = 32, PROMPT = 1 + 32 + 6 };
#define TOLERANCE 1e-4

/* One recorded tensor: rows [position][width], as many as came. */
typedef struct recorded {
    char name[16];
    int width, rows;
    float *data;
} recorded;

typedef struct recorder {
    recorded tensors[MAX_TENSORS];
    int n;
} recorder;

static void record(void *user, const char *name, int layer, const float *data, int n, int width) {
    recorder *r = user;
    char full[16];
    int i = 0;
    if (layer < 0) snprintf(full, sizeof full, "%s", name);
    else snprintf(full, sizeof full, "%s.%d", name, layer);
    while (i < r->n && strcmp(r->tensors[i].name, full)) i++;
    REQUIRE(i < MAX_TENSORS, "too many tensors");
    recorded *t = &r->tensors[i];
    if (i == r->n) {
        r->n++;
        snprintf(t->name, sizeof t->name, "%s", full);
        t->width = width;
    }
    float *grown = vox_alloc((size_t)(t->rows + n) * (size_t)width, sizeof *grown);
    REQUIRE(grown != NULL, "no memory");
    if (t->rows) memcpy(grown, t->data, (size_t)t->rows * (size_t)width * sizeof *grown);
    memcpy(grown + (size_t)t->rows * (size_t)width, data, (size_t)n * (size_t)width * sizeof *grown);
    vox_free(t->data);
    t->data = grown;
    t->rows += n;
}

static void free_recorder(recorder *r) {
    for (int i = 0; i < r->n; i++) vox_free(r->tensors[i].data);
    memset(r, 0, sizeof *r);
}

/* Largest difference, relative to the reference's largest value. The reference keeps mel and conv0
 * as [1][width][positions], all else as [1][positions][width]. The engine computes dec.norm and
 * logits from the last position of the prompt on, and one mel frame more than it needs. */
static double compare(const recorded *t, const vox_tensor *want, int transposed) {
    const int64_t rows = want->shape[transposed ? 2 : 1], width = want->shape[transposed ? 1 : 2];
    const int64_t skipped = t->rows < rows ? rows - t->rows : 0;
    float *ref = vox_alloc((size_t)want->count, sizeof *ref);
    double worst = 0, most = 0;
    REQUIRE(ref != NULL, "no memory");
    if (t->width != width || skipped > PROMPT - 1) {
        vox_free(ref);
        return INFINITY;
    }
    vox_tensor_read(want, 0, want->count, ref);
    for (int64_t i = skipped; i < rows; i++)
        for (int64_t j = 0; j < width; j++) {
            const double v = ref[transposed ? j * rows + i : i * width + j];
            worst = check_most(worst, fabs(v - t->data[(i - skipped) * width + j]));
            most = check_most(most, fabs(v));
        }
    vox_free(ref);
    return worst / most;
}

static void compare_all(const recorder *r, vox_tensors *golden, const char *kernels) {
    int compared = 0;
    for (int i = 0; i < r->n; i++) {
        const recorded *t = &r->tensors[i];
        const vox_tensor *want = vox_tensors_find(golden, t->name);
        REQUIRE(want != NULL, "no reference for %s", t->name);
        const double error = compare(t, want, !strcmp(t->name, "mel") || !strcmp(t->name, "conv0"));
        CHECK(error <= TOLERANCE, "%s, %s: relative error %g", kernels, t->name, error);
        if (getenv("VOX_TEST_VERBOSE")) printf("%s %s %g (%d rows)\n", kernels, t->name, error, t->rows);
        compared++;
    }
    /* mel, conv0, conv1, 2 encoder layers, enc.norm, adapter, 3 decoder layers, dec.norm, logits */
    CHECK(compared == 12, "%d tensors compared", compared);
}

/* Positions of `ids` from the first generated one on. */
static int *generated_ids(vox_tensors *golden, int prompt, int *n) {
    const vox_tensor *t = vox_tensors_find(golden, "ids");
    REQUIRE(t && t->count > prompt, "golden.safetensors lacks ids");
    float *all = vox_alloc((size_t)t->count, sizeof *all);
    int *ids = vox_alloc((size_t)t->count, sizeof *ids);
    REQUIRE(all && ids, "no memory");
    vox_tensor_read(t, 0, t->count, all);
    *n = (int)t->count - prompt;
    for (int i = 0; i < *n; i++) ids[i] = (int)all[prompt + i];
    vox_free(all);
    return ids;
}

/* Takes over the model. */
static void test_model(vox_model *m, const char *kernels, vox_tensors *golden) {
    collected c;
    recorder r = { .n = 0 };
    size_t n;
    int n_ids;
    float *samples = reference_samples(golden, &n);
    int *ids = generated_ids(golden, PROMPT, &n_ids);
    vox_stream *s = open_stream(m, 480, 0.5, &c);

    /* Teacher-forced: what the reference was fed, position by position. */
    s->tap = (vox_tap){ record, &r };
    s->drafter.columns = 1;
    s->fresh = 1;
    s->forced = ids;
    s->n_forced = n_ids;
    speak(s, samples, n, n);
    compare_all(&r, golden, kernels);
    free_recorder(&r);

    /* On its own: the reference's ids are what its own greedy decoding generated. The last
     * position's token is generated but has no place in `ids`. */
    s->tap.fn = NULL;
    s->fresh = 0;
    s->forced = NULL;
    collect_reset(&c);
    speak(s, samples, n, n);
    CHECK(c.n == n_ids + 1, "%s: %d tokens instead of %d", kernels, c.n, n_ids + 1);
    int same = 0;
    for (int i = 0; i < n_ids; i++) same += c.ids[i] == ids[i];
    CHECK(same == n_ids, "%s: %d of %d ids are the reference's", kernels, same, n_ids);
    vox_stream_close(s);
    vox_model_free(m);
    vox_free(samples);
    vox_free(ids);
}

int main(void) {
    vox_tensors golden;
    const vox_kernels *k;
    open_golden(&golden);
    for (int i = 0; (k = vox_kernels_at(i)) != NULL; i++) {
        test_model(load_model(RANDOM_MODEL, k->name, 2, VOX_PRECISION_BF16), k->name, &golden);
        test_model(load_model(RANDOM_MODEL, k->name, 2, VOX_PRECISION_F32), k->name, &golden);
    }
    for (int i = 0; i < GPU_VARIANTS; i++) {
        const char *variant = gpu_variant(i);
        vox_model *m = load_on_gpu(RANDOM_MODEL, i % 2 ? VOX_PRECISION_BF16 : VOX_PRECISION_F32);
        if (!m) break;
        test_model(m, variant, &golden);
    }
    vox_tensors_close(&golden);
    CHECK(vox_alloc_live() == 0, "%ld blocks were not freed", vox_alloc_live());
    return check_summary();
}
