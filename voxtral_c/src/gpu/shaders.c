/* shaders.c - pipelines out of the shaders' text: constants for each variant come before it. */
#include "shaders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

enum { MOST_TEXT = 32768 };

/* Text that grows; overflow shows in n. */
typedef struct text {
    char *data;
    size_t n;
} text;

static void put(text *t, const char *s, size_t n) {
    if (t->n + n < MOST_TEXT) memcpy(t->data + t->n, s, n);
    t->n += n;
}

static const char *source(const char *name) {
    const gpu_source *s = gpu_sources;
    while (s->name && strcmp(s->name, name) != 0) s++;
    return s->text;
}

typedef enum subgroups { NO_SUBGROUPS, SUBGROUPS, PRETENDED } subgroups;

/* A line, with # replaced by `number` and the marks for subgroups by what belongs there. */
static void put_line(text *t, const char *line, size_t n, int number, subgroups way) {
    static const struct { const char *mark, *with[3]; } marks[] = {
        { "$SUBGROUP_ARGUMENTS", { "", ", @builtin(subgroup_invocation_id) its_lane: u32, @builtin(subgroup_size) its_lanes: u32, "
                                       "@builtin(subgroup_id) its_subgroup: u32",
                                   ", @builtin(local_invocation_id) its_place: vec3<u32>" } },
        { "$SUBGROUP_START", { "", "lane = its_lane; lanes = its_lanes; subgroup = its_subgroup;",
                               "its_index = its_place.x; lane = its_index % LANES; lanes = LANES; subgroup = its_index / LANES;" } },
    };
    for (size_t i = 0; i < n; i++) {
        char digits[12];
        int marked = 0;
        for (size_t m = 0; m < 2 && line[i] == '$' && !marked; m++) {
            const size_t length = strlen(marks[m].mark);
            if (n - i < length || memcmp(line + i, marks[m].mark, length) != 0) continue;
            put(t, marks[m].with[way], strlen(marks[m].with[way]));
            i += length - 1;
            marked = 1;
        }
        if (marked) continue;
        if (line[i] == '#') put(t, digits, (size_t)snprintf(digits, sizeof digits, "%d", number));
        else put(t, line + i, 1);
    }
}

static void add(text *t, const char *name, int repeat, subgroups way) {
    for (const char *line = source(name); *line;) {
        const char *end = strchr(line, '\n');
        const size_t n = end ? (size_t)(end - line) + 1 : strlen(line);
        const int comment = strstr(line, "//") == line;
        const int times = !comment && memchr(line, '#', n) ? repeat : 1;
        for (int i = 0; i < times; i++) put_line(t, line, n, i, way);
        line += n;
    }
}

static void constant(text *t, const char *format, int value) {
    char line[80];
    put(t, line, (size_t)snprintf(line, sizeof line, format, value));
}

/* How the weights of a type are read, of so many rows at a time (1 or 4). */
static void add_weights(text *t, vox_weight_type type, int rows) {
    static const char *const readers[VOX_WEIGHT_TYPES] = {
        [VOX_WEIGHT_F32] = "float", [VOX_WEIGHT_BF16] = "float", [VOX_WEIGHT_F16] = "float", [VOX_WEIGHT_Q8_0] = "q8_0",
        [VOX_WEIGHT_Q4_K] = "q4_k", [VOX_WEIGHT_Q5_K] = "q4_k", [VOX_WEIGHT_Q6_K] = "q6_k",
    };
    constant(t, "const FIVE = %d == 1;\n", type == VOX_WEIGHT_Q5_K);
    constant(t, "const BFLOAT = %d == 1;\n", type == VOX_WEIGHT_BF16);
    constant(t, "const BITS = %du;\n", type == VOX_WEIGHT_F32 ? 32 : 16);
    add(t, rows == 4 ? "four_rows" : "one_row", 1, NO_SUBGROUPS);
    add(t, "words", rows, NO_SUBGROUPS);
    add(t, "half", 1, NO_SUBGROUPS);
    add(t, readers[type], rows, NO_SUBGROUPS);
}

static void assemble(const gpu *g, text *t, gpu_kernel kernel, uint32_t variant) {
    const int low = (int)(variant & 15), mode = (int)(variant >> 4 & 3), repeat = (int)(variant >> 8);
    static const char *const names[GPU_KERNELS] = {
        [GPU_FEW] = "few", [GPU_MANY] = "many", [GPU_NORM] = "norm", [GPU_ROPE] = "rope", [GPU_ATTEND] = "attend",
        [GPU_JOIN] = "join", [GPU_EMBED] = "embed", [GPU_TURN] = "turn", [GPU_BEST] = "best",
    };
    const int together = kernel == GPU_FEW || kernel == GPU_NORM || kernel == GPU_BEST;
    const subgroups way = !together || !g->subgroups ? NO_SUBGROUPS : g->pretended_lanes ? PRETENDED : SUBGROUPS;
    int lines = 1;
    if (way == PRETENDED) {
        constant(t, "const LANES = %du;\n", g->pretended_lanes);
        add(t, "pretended", 1, NO_SUBGROUPS);
    }
    switch (kernel) {
    case GPU_FEW:
    case GPU_MANY:
        lines = kernel == GPU_MANY ? repeat / 16 : repeat;
        constant(t, "const COLUMNS = %du;\n", repeat);
        constant(t, "const GELU = %d == 1;\n", mode == GPU_GELU);
        constant(t, "const GATED = %d == 1;\n", mode == GPU_SWIGLU);
        add(t, "product", 1, NO_SUBGROUPS);
        add_weights(t, (vox_weight_type)low, kernel == GPU_FEW ? 4 : 1);
        if (kernel == GPU_FEW) add(t, g->subgroups ? "slices_subgroups" : "slices", 1, NO_SUBGROUPS);
        break;
    case GPU_EMBED:
        add_weights(t, (vox_weight_type)low, 1);
        break;
    case GPU_NORM:
    case GPU_BEST:
        constant(t, "const JOIN = %d == 1;\n", low);
        constant(t, "const PART = %du;\n", GPU_PART);
        add(t, g->subgroups ? "group_subgroups" : "group", 1, NO_SUBGROUPS);
        break;
    case GPU_ATTEND:
        lines = repeat;
        constant(t, "const ROWS = %du;\n", repeat);
        /* fall through */
    case GPU_ROPE:
    case GPU_TURN:
        add(t, low ? "cache_f16" : "cache_f32", 1, NO_SUBGROUPS);
        if (kernel != GPU_TURN) add(t, "cache", 1, NO_SUBGROUPS);
        break;
    default:
        break;
    }
    add(t, names[kernel], lines, way);
    put(t, "", 1);
}

/* What each kernel binds: r for reading, w for writing as well. */
static const char *const bindings[GPU_KERNELS] = {
    [GPU_FEW] = "rrrw", [GPU_MANY] = "rrrw", [GPU_NORM] = "rrw", [GPU_ROPE] = "wrrww", [GPU_ATTEND] = "rrrrww",
    [GPU_JOIN] = "rw", [GPU_EMBED] = "rrrw", [GPU_TURN] = "rw", [GPU_BEST] = "rrw",
};

static void make_layout(gpu *g, gpu_kernel kernel) {
    WGPUBindGroupLayoutEntry entries[GPU_MAX_BINDINGS];
    const char *kinds = bindings[kernel];
    const size_t n = strlen(kinds);
    memset(entries, 0, sizeof entries);
    for (size_t i = 0; i < n; i++) {
        entries[i].binding = (uint32_t)i;
        entries[i].visibility = WGPU_STAGE_COMPUTE;
        entries[i].buffer.type = kinds[i] == 'w' ? WGPU_BINDING_STORAGE : WGPU_BINDING_READ_ONLY;
    }
    const WGPUBindGroupLayoutDescriptor d = { .label = { "", 0 }, .count = n, .entries = entries };
    g->layouts[kernel] = g->w.DeviceCreateBindGroupLayout(g->device, &d);
    const WGPUPipelineLayoutDescriptor l = { .label = { "", 0 }, .count = 1, .layouts = &g->layouts[kernel], .immediate_size = 64 };
    g->pipeline_layouts[kernel] = g->w.DeviceCreatePipelineLayout(g->device, &l);
}

static WGPUComputePipeline make_pipeline(gpu *g, gpu_kernel kernel, const char *code) {
    const WGPUShaderSource s = { { NULL, WGPU_TYPE_WGSL }, { code, WGPU_STRLEN } };
    const WGPUNamed d = { (WGPUChain *)(uintptr_t)&s.chain, { "", 0 } };
    const WGPUShaderModule module = g->checked ? g->w.DeviceCreateShaderModule(g->device, &d)
                                               : g->w.DeviceCreateShaderModuleTrusted(g->device, &d, 0);
    if (!g->layouts[kernel]) make_layout(g, kernel);
    const WGPUComputePipelineDescriptor p = { .label = { "", 0 }, .layout = g->pipeline_layouts[kernel],
                                              .compute = { NULL, module, { "main", 4 }, 0, NULL } };
    const WGPUComputePipeline made = g->w.DeviceCreateComputePipeline(g->device, &p);
    g->w.ShaderModuleRelease(module);
    return made;
}

WGPUComputePipeline gpu_pipeline_get(gpu *g, gpu_kernel kernel, uint32_t variant) {
    for (int i = 0; i < g->n_pipelines; i++)
        if (g->pipelines[i].kernel == kernel && g->pipelines[i].variant == variant) return g->pipelines[i].handle;
    text t = { malloc(MOST_TEXT), 0 };
    if (!t.data || g->n_pipelines == GPU_MAX_PIPELINES) gpu_fail(g, "there is no room for another shader");
    else assemble(g, &t, kernel, variant);
    if (t.n >= MOST_TEXT) gpu_fail(g, "a shader is too long");
    WGPUComputePipeline made = NULL;
    if (gpu_ok(g)) {
        gpu_scopes_open(g);
        made = make_pipeline(g, kernel, t.data);
        gpu_scopes_close(g);
    }
    if (made) g->pipelines[g->n_pipelines++] = (gpu_pipeline){ kernel, variant, made };
    if (getenv("VOXTRAL_GPU_SHOW") && !gpu_ok(g)) fprintf(stderr, "%s\n", t.data);
    free(t.data);
    return gpu_ok(g) ? made : NULL;
}

void gpu_pipelines_free(gpu *g) {
    for (int i = 0; i < g->n_pipelines; i++) g->w.ComputePipelineRelease(g->pipelines[i].handle);
    for (int i = 0; i < GPU_KERNELS; i++) {
        if (g->pipeline_layouts[i]) g->w.PipelineLayoutRelease(g->pipeline_layouts[i]);
        if (g->layouts[i]) g->w.BindGroupLayoutRelease(g->layouts[i]);
    }
    g->n_pipelines = 0;
}
