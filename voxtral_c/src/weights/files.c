#define _POSIX_C_SOURCE 200809L
#include "files.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "safetensors.h"

static vox_status no_memory(const char *path, vox_error *err) {
    return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", path);
}

/* ---- which file is meant --------------------------------------------------------------- */

static int is_gguf_name(const char *name) {
    const size_t n = strlen(name);
    return n > 5 && name[0] != '.' && !strcmp(name + n - 5, ".gguf");
}

vox_status vox_find_gguf(const char *path, char **file, vox_error *err) {
    struct stat info;
    vox_status status = VOX_OK;
    *file = NULL;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        *file = vox_copy_text(path);
        return *file ? VOX_OK : no_memory(path, err);
    }
    char *params = vox_path(path, "params.json");
    if (!params) return no_memory(path, err);
    DIR *folder = access(params, F_OK) != 0 ? opendir(path) : NULL;
    vox_free(params);
    for (struct dirent *e; folder && status == VOX_OK && (e = readdir(folder)) != NULL;) {
        if (!is_gguf_name(e->d_name)) continue;
        if (*file) status = vox_fail(err, VOX_ERR_ARGUMENT, "%s holds several GGUF files; name the one to use.", path);
        else if (!(*file = vox_path(path, e->d_name))) status = no_memory(path, err);
    }
    if (folder) closedir(folder);
    if (status != VOX_OK) {
        vox_free(*file);
        *file = NULL;
    }
    return status;
}

/* ---- loading --------------------------------------------------------------------------- */

static vox_status check_fit(const vox_files *f, const char *path, vox_error *err) {
    if (f->tokenizer.n_vocab <= f->config.vocab_size) return VOX_OK;
    return vox_fail(err, VOX_ERR_FORMAT, "%s: the tokenizer has %d tokens but the model only %d; they are of different models.",
                    path, f->tokenizer.n_vocab, f->config.vocab_size);
}

static const vox_weight_type stored[] = {
    [VOX_PRECISION_AUTO] = VOX_WEIGHT_TYPES, [VOX_PRECISION_BF16] = VOX_WEIGHT_BF16, [VOX_PRECISION_F32] = VOX_WEIGHT_F32,
    [VOX_PRECISION_F16] = VOX_WEIGHT_F16, [VOX_PRECISION_Q8_0] = VOX_WEIGHT_Q8_0, [VOX_PRECISION_Q6_K] = VOX_WEIGHT_Q6_K,
    [VOX_PRECISION_Q5_K_M] = VOX_WEIGHT_Q5_K, [VOX_PRECISION_Q4_K_M] = VOX_WEIGHT_Q4_K,
};

vox_weight_type vox_precision_weights(vox_precision precision) { return stored[precision]; }

vox_precision vox_precision_of(vox_weight_type type) {
    int i = VOX_PRECISION_BF16;
    while (stored[i] != type) i++;
    return (vox_precision)i;
}

/* The small files first: they fail sooner and decide the shapes. */
static vox_status load_official(vox_files *f, const char *path, vox_precision precision, vox_pool *pool, vox_error *err) {
    char *params = vox_path(path, "params.json"), *tekken = vox_path(path, "tekken.json");
    char *weights = vox_path(path, "consolidated.safetensors");
    vox_tensors file = { 0 };
    vox_status status = params && tekken && weights ? VOX_OK : no_memory(path, err);
    if (status == VOX_OK) status = vox_config_load(&f->config, params, err);
    if (status == VOX_OK) status = vox_tokenizer_load(&f->tokenizer, tekken, err);
    if (status == VOX_OK) status = check_fit(f, path, err);
    if (status == VOX_OK) status = safetensors_open(&file, weights, err);
    if (status == VOX_OK) status = vox_weights_load(&f->weights, &f->config, &file, 0, precision, pool, err);
    vox_free(params);
    vox_free(tekken);
    vox_free(weights);
    return status;
}

/* The filters of the front end, or NULL where the file has none that can be used. */
static const float *find_filters(const vox_files *f) {
    const vox_tensor *t = vox_tensors_find(&f->meta.tensors, "frontend.mel_filterbank");
    const int fits = t && t->type == VOX_WEIGHT_F32 && t->n_dims == 2 && t->shape[0] == f->config.n_mels &&
                     t->shape[1] == f->config.mel_window / 2 + 1 && (uintptr_t)t->data % sizeof(float) == 0;
    return fits ? (const float *)(const void *)t->data : NULL;
}

static vox_status load_gguf(vox_files *f, const char *path, vox_precision precision, vox_pool *pool, vox_error *err) {
    vox_status status = gguf_open(&f->meta, path, err);
    if (status == VOX_OK) status = vox_config_from_gguf(&f->config, &f->meta, err);
    if (status == VOX_OK) status = vox_tokenizer_from_gguf(&f->tokenizer, &f->meta, err);
    if (status == VOX_OK) status = check_fit(f, path, err);
    if (status != VOX_OK) return status;
    f->is_gguf = 1;
    f->filters = find_filters(f);
    return vox_weights_load(&f->weights, &f->config, &f->meta.tensors, 1, precision, pool, err);
}

vox_status vox_files_load(vox_files *f, const char *path, vox_precision precision, vox_pool *pool, vox_error *err) {
    char *file = NULL;
    memset(f, 0, sizeof *f);
    vox_status status = vox_find_gguf(path, &file, err);
    if (status == VOX_OK) status = file ? load_gguf(f, file, precision, pool, err) : load_official(f, path, precision, pool, err);
    vox_free(file);
    if (status == VOX_OK) f->precision = vox_precision_of(f->weights.type);
    else vox_files_free(f);
    return status;
}

void vox_files_free(vox_files *f) {
    gguf_close(&f->meta);
    vox_weights_free(&f->weights);
    vox_tokenizer_free(&f->tokenizer);
    memset(f, 0, sizeof *f);
}
