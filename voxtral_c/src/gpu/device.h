/* device.h - a GPU through wgpu-native (Metal, Vulkan): found and opened at run time.
 *
 * Work is recorded with gpu_dispatch and gpu_copy and starts with gpu_submit. The first failure of
 * any call (an error of validation, no memory, a lost device, no answer in time) is kept: all later
 * calls do nothing, and gpu_ok tells. So a sequence of calls is checked once, at its end.
 */
#ifndef VOX_GPU_DEVICE_H
#define VOX_GPU_DEVICE_H

#include "machine/base.h"
#include "webgpu.h"

enum { GPU_MAX_BINDINGS = 6, GPU_MAX_PIPELINES = 256, GPU_BIND_GROUPS = 4096, GPU_ALIGN = 256 };

/* So much work for one submit (see gpu_cost) before anything is known. */
#define GPU_FIRST_BUDGET 2e9

/* The kernels; see shaders/. */
typedef enum gpu_kernel {
    GPU_FEW, GPU_MANY, GPU_NORM, GPU_ROPE, GPU_ATTEND, GPU_JOIN, GPU_EMBED, GPU_TURN, GPU_BEST, GPU_KERNELS
} gpu_kernel;

typedef struct gpu_options {
    const char *library;      /* path; NULL = VOXTRAL_WGPU, else where Python's wheels are */
    const char *adapter;      /* part of its name; NULL = the first real GPU */
    int software;             /* if there is no real one: software */
    int checked;              /* naga's bounds and loop checks in every shader */
    int no_subgroups;
    int pretended_lanes;      /* tests: subgroups of so many threads, made of shared memory; 0 = the GPU's own */
    uint64_t max_binding;     /* bytes; 0 = what the adapter allows. Larger matrices are cut up */
    double deadline_ms;       /* for the answer to one submit; 0 = 10 s */
} gpu_options;

typedef struct gpu_buffer {
    WGPUBuffer handle;
    uint64_t size;
} gpu_buffer;

typedef struct gpu_bind {
    const gpu_buffer *buffer;
    uint64_t offset, size;    /* size 0 = to the end */
} gpu_bind;

typedef struct gpu_pipeline {
    gpu_kernel kernel;
    uint32_t variant;
    WGPUComputePipeline handle;
} gpu_pipeline;

typedef struct gpu_bind_group {
    gpu_kernel kernel;
    int n;
    gpu_bind binds[GPU_MAX_BINDINGS];
    WGPUBuffer buffers[GPU_MAX_BINDINGS];   /* stand for the binds' own, which may move */
    WGPUBindGroup handle;
} gpu_bind_group;

typedef struct gpu {
    webgpu w;
    WGPUInstance instance;
    WGPUAdapter adapter;
    WGPUDevice device;
    WGPUQueue queue;
    char name[128], driver[192];
    const char *api;          /* "Metal", "Vulkan" */
    int software, shares_memory, subgroups, checked, pretended_lanes;
    uint64_t max_binding;
    double deadline_ms;

    WGPUBindGroupLayout layouts[GPU_KERNELS];
    WGPUPipelineLayout pipeline_layouts[GPU_KERNELS];
    gpu_pipeline pipelines[GPU_MAX_PIPELINES];
    int n_pipelines;
    gpu_bind_group *groups;   /* [GPU_BIND_GROUPS], open addressing */
    int n_groups;

    WGPUCommandEncoder encoder;
    WGPUComputePass pass;
    WGPUCommandBuffer commands;
    gpu_buffer readback;
    int mapped;               /* 1 once it can be read, -1 when that failed */
    double work, budget;      /* cost recorded (see gpu_cost); so much that a submit takes some 50 ms */
    double submitted, since;  /* cost and time of what has been submitted since the last wait */
    double longest;           /* most cost of a submit so far */
    int64_t dispatches, submits;      /* since the start, for measurements */
    double most_budget;       /* tests: the budget, whatever is learned; 0 = none */

    int dead;                 /* lost, hanging or aborted: nothing of the library is called any more */
    char why[256];            /* "" = nothing failed yet */
} gpu;

/* VOX_ERR_UNSUPPORTED with the reason where there is none that fits, VOX_ERR_DEVICE where it fails. */
vox_status gpu_open(gpu *g, const gpu_options *options, vox_error *err);
void gpu_close(gpu *g);       /* also of one zeroed or half opened */

static inline int gpu_ok(const gpu *g) { return g->why[0] == 0; }
void gpu_fail(gpu *g, const char *format, ...) VOX_PRINTF(2, 3);
/* The same, and the GPU is left as it lies: to clean up might never end, or end the process. */
void gpu_give_up(gpu *g, const char *format, ...) VOX_PRINTF(2, 3);

/* commands.c: zeroed memory of `size` bytes for shaders and copies. handle NULL on failure. */
gpu_buffer gpu_alloc(gpu *g, uint64_t size);
void gpu_free(gpu *g, gpu_buffer *b);
/* Before the next submit. bytes is a multiple of 4. */
void gpu_write(gpu *g, const gpu_buffer *b, uint64_t offset, const void *data, size_t bytes);

/* Record. What one dispatch writes the next one sees. */
void gpu_dispatch(gpu *g, gpu_kernel kernel, uint32_t variant, const gpu_bind *binds, int n_binds,
                  const void *params, size_t params_size, uint32_t x, uint32_t y, uint32_t z);
void gpu_copy(gpu *g, const gpu_buffer *from, uint64_t from_offset, const gpu_buffer *to, uint64_t to_offset, uint64_t bytes);

/* Start what has been recorded. */
void gpu_submit(gpu *g);
/* Tell what was recorded costs (see gpu_cost); submits when there is enough for one go. */
void gpu_worked(gpu *g, double cost);
/* Submit, wait for the end, and bring `bytes` of a buffer. Returns gpu_ok. */
int gpu_read(gpu *g, const gpu_buffer *b, uint64_t offset, void *data, size_t bytes);

/* Forget what was made for sets of buffers. */
void gpu_forget_groups(gpu *g);

/* Errors between the two are kept as a failure. */
void gpu_scopes_open(gpu *g);
void gpu_scopes_close(gpu *g);

/* shaders.c: the pipeline of a kernel's variant, made at its first use; NULL on failure. */
WGPUComputePipeline gpu_pipeline_get(gpu *g, gpu_kernel kernel, uint32_t variant);
void gpu_pipelines_free(gpu *g);

/* loader.c: where the library lies, VOXTRAL_WGPU or in a Python environment; 0 = nowhere. */
enum { WEBGPU_PATH = 4608 };
int webgpu_find(char *out, size_t size);
vox_status webgpu_load(webgpu *w, const char *path, vox_error *err);
void webgpu_unload(webgpu *w);

#endif
