#include "model.h"

#include <stdio.h>
#include <string.h>

#include "weights/cache.h"
#include "weights/files.h"
#include "gpu/resident.h"
#include "gpu/scout.h"
#include "prompt.h"

const char *vox_status_name(vox_status status) {
    static const char *const names[] = { "ok", "argument", "io", "format", "unsupported", "memory", "state", "aborted", "device" };
    const size_t i = (size_t)status;
    return i < sizeof names / sizeof *names ? names[i] : "unknown";
}

static const char *const precision_names[] = {
    [VOX_PRECISION_AUTO] = "auto", [VOX_PRECISION_BF16] = "bf16", [VOX_PRECISION_F32] = "f32",
    [VOX_PRECISION_F16] = "f16", [VOX_PRECISION_Q8_0] = "q8_0", [VOX_PRECISION_Q6_K] = "q6_k",
    [VOX_PRECISION_Q5_K_M] = "q5_k_m", [VOX_PRECISION_Q4_K_M] = "q4_k_m",
};
enum { N_PRECISIONS = sizeof precision_names / sizeof *precision_names };

const char *vox_precision_name(vox_precision precision) {
    return (size_t)precision < N_PRECISIONS ? precision_names[precision] : "unknown";
}

int vox_precision_parse(const char *name, vox_precision *out) {
    for (int i = 0; i < N_PRECISIONS; i++) {
        if (strcmp(name, precision_names[i]) != 0) continue;
        *out = (vox_precision)i;
        return 1;
    }
    return 0;
}

vox_model_params vox_model_default_params(void) {
    return (vox_model_params){ .precision = VOX_PRECISION_AUTO };
}

static vox_status check_params(const vox_model_params *p, vox_error *err) {
    if (p->precision < VOX_PRECISION_AUTO || p->precision > VOX_PRECISION_Q4_K_M)
        return vox_fail(err, VOX_ERR_ARGUMENT, "There is no precision %d.", (int)p->precision);
    if (p->threads < 0 || p->threads > VOX_MAX_THREADS)
        return vox_fail(err, VOX_ERR_ARGUMENT, "The number of threads must be from 1 to %d, or 0 for the machine's own.",
                        VOX_MAX_THREADS);
    if (!vox_kernels_select(p->kernels))
        return vox_fail(err, VOX_ERR_ARGUMENT, "The kernels %s do not exist or do not run on this processor.", p->kernels);
    return VOX_OK;
}

static vox_status no_memory(vox_error *err) {
    return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to work with this model.");
}

/* Room for a full batch of quantised columns of the longest rows. */
static size_t quantised_chunks(const vox_config *c, int frames) {
    const vox_stack_config *stacks[] = { &c->encoder, &c->decoder };
    int longest = c->encoder.dim * c->downsample;
    for (int i = 0; i < 2; i++) {
        const int widths[] = { longest, stacks[i]->dim, stacks[i]->n_heads * stacks[i]->head_dim, stacks[i]->hidden_dim };
        for (int j = 0; j < 4; j++) longest = widths[j] > longest ? widths[j] : longest;
    }
    return (size_t)frames * vox_chunks(longest);
}

static vox_status make_buffers(vox_model *m, const vox_model_params *p, vox_error *err) {
    const vox_config *c = &m->config;
    const int frames = vox_batch_frames(m);
    const size_t n = (size_t)frames, dim = (size_t)c->encoder.dim, width = (size_t)c->decoder.dim;
    const size_t a = vox_attention_scratch(&c->encoder, frames), b = vox_attention_scratch(&c->decoder, VOX_BATCH_TOKENS);
    m->compute.kernels = vox_kernels_select(p->kernels);
    m->compute.scratch_size = ((a > b ? a : b) + 15) / 16 * 16;
    m->compute.scratch = vox_alloc(m->compute.scratch_size * (size_t)vox_pool_threads(m->compute.pool), sizeof(float));
    m->compute.n_chunks = quantised_chunks(c, frames);
    m->compute.chunks = vox_alloc(m->compute.n_chunks, sizeof *m->compute.chunks);
    m->conv0 = vox_alloc((2 * n + 1) * dim, sizeof(float));
    m->frames = vox_alloc(n * dim, sizeof(float));
    m->adapter = vox_alloc((size_t)VOX_BATCH_TOKENS * width, sizeof(float));
    m->hidden = vox_alloc((size_t)VOX_BATCH_TOKENS * width, sizeof(float));
    m->logits = vox_alloc(VOX_DRAFT_COLUMNS * (size_t)c->vocab_size, sizeof(float));
    if (!m->compute.scratch || !m->compute.chunks || !m->conv0 || !m->frames || !m->adapter || !m->hidden || !m->logits ||
        vox_stack_buffers_init(&m->encoder_buffers, &c->encoder, frames) != VOX_OK ||
        vox_stack_buffers_init(&m->decoder_buffers, &c->decoder, VOX_BATCH_TOKENS) != VOX_OK)
        return no_memory(err);
    return VOX_OK;
}

/* A real GPU if there is one; else the CPU, and m->gpu_why tells. */
static void choose_freely(vox_model *m, const vox_model_params *p, const gpu_options *o, const char *folder) {
    vox_error why = { m->gpu_why, sizeof m->gpu_why };
    int news = 1;
    vox_status status = p->gpu_scout ? gpu_scout_ask(p->gpu_scout, folder, vox_gpu_need(m), &news, &why) : VOX_OK;
    if (status == VOX_OK) {
        news = 1;
        status = vox_gpu_attach(m, o, folder, &why);
    }
    m->gpu_failed = status == VOX_ERR_DEVICE && news;
}

/* The backend asked for: "cpu", "gpu", "gpu:" and part of an adapter's name, or "auto". */
static vox_status choose_backend(vox_model *m, const vox_model_params *p, vox_error *err) {
    const char *wanted = p->backend;
    vox_status status = VOX_OK;
    gpu_options o = vox_gpu_options();
    m->backend = &vox_backend_cpu;
    if (!wanted || !strcmp(wanted, "cpu")) return VOX_OK;
    if (!strncmp(wanted, "gpu:", 4)) o.adapter = wanted + 4;
    else if (strcmp(wanted, "gpu") != 0 && strcmp(wanted, "auto") != 0)
        return vox_fail(err, VOX_ERR_ARGUMENT, "There is no backend %s; there are auto, cpu, gpu and gpu:NAME.", wanted);
    char *folder = vox_cache_folder(p);
    if (!folder) return no_memory(err);
    vox_error why = { m->gpu_why, sizeof m->gpu_why };
    if (p->gpu_scout && gpu_scout_crashed(folder, &why)) m->gpu_failed = 1;   /* this time without it */
    else if (!strcmp(wanted, "auto")) choose_freely(m, p, &o, folder);
    else status = vox_gpu_attach(m, &o, folder, err);
    vox_free(folder);
    return status;
}

/* Beside the weights keys and values, for a large model a fifth as much after ten minutes. */
static void check_memory(vox_model *m) {
    const double mapped = (double)m->weights.file.map_size, owned = m->weights.owned_bytes;
    const double needed = 1.2 * (owned > mapped ? owned : mapped), total = vox_memory_total();
    if (needed > total)
        snprintf(m->little_memory, sizeof m->little_memory, "The model takes about %.1f GB of memory and %.1f GB are there: it will be "
                 "very slow. With q4_k_m weights it takes least.", needed / 1e9, total / 1e9);
}

static vox_status load_files(vox_model *m, void *user, vox_error *err) {
    const vox_model_params *p = user;
    const int as_stored = p->precision != VOX_PRECISION_BF16 && p->precision != VOX_PRECISION_F32;
    vox_files f;
    const vox_precision precision = as_stored ? VOX_PRECISION_AUTO : p->precision;
    char *path = NULL;
    vox_status status = vox_cache_find(m->path, p, &path, m->note, sizeof m->note, err);
    if (status == VOX_OK) status = vox_files_load(&f, path, precision, m->compute.pool, err);
    if (status == VOX_ERR_FORMAT && path && vox_cache_drop(path, p)) {        /* once more, from the model itself */
        vox_free(path);
        status = vox_cache_find(m->path, p, &path, m->note, sizeof m->note, err);
        if (status == VOX_OK) status = vox_files_load(&f, path, precision, m->compute.pool, err);
    }
    vox_free(path);
    if (status != VOX_OK) return status;
    m->config = f.config;
    m->tokenizer = f.tokenizer;
    m->weights = f.weights;
    check_memory(m);
    status = vox_mel_plan_init(&m->mel, &m->config, f.filters);
    gguf_close(&f.meta);
    if (status == VOX_ERR_UNSUPPORTED)
        return vox_fail(err, status, "%s: a mel window of %d samples is not supported.", m->path, m->config.mel_window);
    return status == VOX_OK ? status : no_memory(err);
}

vox_status vox_model_make(const char *path, const vox_model_params *p, vox_model_fill fill, void *user,
                          vox_model **out, vox_error *err) {
    vox_status status = check_params(p, err);
    if (status != VOX_OK) return status;
    vox_model *m = vox_alloc_zero(1, sizeof *m);
    if (!m) return no_memory(err);
    m->path = vox_copy_text(path);
    m->compute.pool = vox_pool_new(p->threads ? p->threads : vox_physical_cores());
    status = m->path && m->compute.pool ? fill(m, user, err) : no_memory(err);
    if (status == VOX_OK) {
        m->cache_bytes = vox_is_quantised(m->weights.type);
        status = make_buffers(m, p, err);
    }
    if (status == VOX_OK) status = choose_backend(m, p, err);
    if (status != VOX_OK) {
        vox_model_free(m);
        return status;
    }
    *out = m;
    return VOX_OK;
}

vox_status vox_model_load(const char *path, const vox_model_params *params, vox_model **out,
                          char *err_text, size_t err_size) {
    vox_error err = { err_text, err_size };
    vox_model_params p = params ? *params : vox_model_default_params();
    if (err_text && err_size) err_text[0] = 0;
    if (!out) return vox_fail(&err, VOX_ERR_ARGUMENT, "There is nowhere to put the model.");
    *out = NULL;
    if (!path) return vox_fail(&err, VOX_ERR_ARGUMENT, "No model was named.");
    return vox_model_make(path, &p, load_files, &p, out, &err);
}

void vox_model_free(vox_model *m) {
    if (!m) return;
    vox_prompts_free(m);
    vox_gpu_detach(m);
    vox_pool_free(m->compute.pool);
    vox_free(m->compute.scratch);
    vox_free(m->compute.chunks);
    vox_stack_buffers_free(&m->encoder_buffers);
    vox_stack_buffers_free(&m->decoder_buffers);
    vox_free(m->conv0);
    vox_free(m->frames);
    vox_free(m->adapter);
    vox_free(m->hidden);
    vox_free(m->logits);
    vox_mel_plan_free(&m->mel);
    vox_weights_free(&m->weights);
    vox_tokenizer_free(&m->tokenizer);
    vox_free(m->path);
    vox_free(m);
}

void vox_model_get_info(const vox_model *m, vox_model_info *info) {
    *info = (vox_model_info){
        .kernels = m->compute.kernels->name,
        .precision = vox_precision_name(vox_precision_of(m->weights.type)),
        .threads = vox_pool_threads(m->compute.pool),
        .backend = m->backend->name,
        .gpu = m->gpu ? vox_gpu_name(m->gpu) : NULL,
        .gpu_why = m->gpu_why,
        .gpu_failed = m->gpu_failed,
        .default_delay_ms = m->tokenizer.delay_ms,
        .vocab_size = m->config.vocab_size,
        .parameters = m->weights.parameters,
        .note = m->note,
        .little_memory = m->little_memory,
    };
}

const char *vox_model_token_bytes(const vox_model *m, int id, size_t *len) {
    return vox_tokenizer_bytes(&m->tokenizer, id, len);
}
