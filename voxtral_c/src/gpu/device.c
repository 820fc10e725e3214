#include "device.h"

#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guard.h"

/* A submit should take some 50 ms: systems take a GPU away from whoever holds it for long. */
#define GOOD_MS 50.0
#define FIRST_BUDGET 2e9
#define DEADLINE_MS 10000.0

static void say_why(gpu *g, const char *format, va_list arguments) {
    if (g->why[0]) return;
    vsnprintf(g->why, sizeof g->why, format, arguments);
    for (char *p = g->why; *p; p++)
        if ((unsigned char)*p < 32) *p = ' ';
}

void gpu_fail(gpu *g, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say_why(g, format, arguments);
    va_end(arguments);
}

void gpu_give_up(gpu *g, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say_why(g, format, arguments);
    va_end(arguments);
    g->dead = 1;
}

static int text_of(WGPUStringView s) { return s.data ? (int)(s.length == WGPU_STRLEN ? strlen(s.data) : s.length) : 0; }

static void copy_text(char *out, size_t size, WGPUStringView s) {
    snprintf(out, size, "%.*s", text_of(s), s.data ? s.data : "");
}

/* ---- errors ---------------------------------------------------------------------------- */

static void on_lost(const WGPUDevice *device, WGPUEnum reason, WGPUStringView message, void *user1, void *user2) {
    gpu *g = user1;
    (void)device;
    (void)user2;
    if (reason != WGPU_LOST_DESTROYED) gpu_give_up(g, "the GPU was lost: %.*s", text_of(message), message.data);
}

static void on_error(const WGPUDevice *device, WGPUEnum type, WGPUStringView message, void *user1, void *user2) {
    (void)device;
    (void)type;
    (void)user2;
    gpu_fail(user1, "the GPU reports: %.*s", text_of(message), message.data);
}

static void on_scope(WGPUEnum status, WGPUEnum type, WGPUStringView message, void *user1, void *user2) {
    (void)status;
    (void)user2;
    if (type != WGPU_NO_ERROR) gpu_fail(user1, "the GPU reports: %.*s", text_of(message), message.data);
}

void gpu_scopes_open(gpu *g) {
    g->w.DevicePushErrorScope(g->device, WGPU_SCOPE_MEMORY);
    g->w.DevicePushErrorScope(g->device, WGPU_SCOPE_VALIDATION);
}

/* Submitting what is invalid would end the process, so whatever was made is looked at here. */
void gpu_scopes_close(gpu *g) {
    const WGPUScopeCallback callback = { NULL, WGPU_CALLBACK_SPONTANEOUS, on_scope, g, NULL };
    g->w.DevicePopErrorScope(g->device, callback);
    g->w.DevicePopErrorScope(g->device, callback);
}

/* ---- opening --------------------------------------------------------------------------- */

static void on_device(WGPUEnum status, WGPUDevice device, WGPUStringView message, void *user1, void *user2) {
    gpu *g = user1;
    (void)user2;
    if (status == WGPU_SUCCESS) g->device = device;
    else gpu_fail(g, "%.*s", text_of(message), message.data);
}

/* How well an adapter fits: 0 = not at all. */
static int rank(const gpu *g, WGPUAdapter adapter, const gpu_options *o, char *name, size_t size) {
    const char *wanted = o->adapter && *o->adapter ? o->adapter : NULL;
    WGPUAdapterInfo info = { 0 };
    g->w.AdapterGetInfo(adapter, &info);
    copy_text(name, size, info.device);
    const int known = info.backend == WGPU_BACKEND_METAL || info.backend == WGPU_BACKEND_VULKAN;
    const WGPUEnum type = info.type;
    g->w.AdapterInfoFreeMembers(info);
    if (!known || !g->w.AdapterHasFeature(adapter, WGPU_FEATURE_IMMEDIATES)) return 0;
    if (wanted) return strstr(name, wanted) != NULL;
    return type == WGPU_ADAPTER_DISCRETE ? 3 : type == WGPU_ADAPTER_INTEGRATED ? 2 : o->software;
}

static vox_status choose_adapter(gpu *g, const gpu_options *o, vox_error *err) {
    enum { MOST = 16 };
    WGPUAdapter adapters[MOST];
    char name[128], names[512] = "";
    size_t n = g->w.InstanceEnumerateAdapters(g->instance, NULL, NULL);
    int best = 0;
    if (n > MOST) n = MOST;
    if (n) n = g->w.InstanceEnumerateAdapters(g->instance, NULL, adapters);
    for (size_t i = 0; i < n; i++) {
        const int fits = rank(g, adapters[i], o, name, sizeof name);
        const size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : "", name);
        if (fits <= best) {
            g->w.AdapterRelease(adapters[i]);
            continue;
        }
        if (g->adapter) g->w.AdapterRelease(g->adapter);
        g->adapter = adapters[i];
        best = fits;
    }
    if (best) return VOX_OK;
    if (!names[0]) return vox_fail(err, VOX_ERR_UNSUPPORTED, "No GPU is known to this system's Vulkan or Metal.");
    if (o->adapter && *o->adapter) return vox_fail(err, VOX_ERR_UNSUPPORTED, "No GPU is called %s; there is %s.", o->adapter, names);
    return vox_fail(err, VOX_ERR_UNSUPPORTED, "There is no GPU here but software, which is slow: %s. --backend gpu:NAME takes it all the same.", names);
}

static void describe(gpu *g) {
    WGPUAdapterInfo info = { 0 };
    g->w.AdapterGetInfo(g->adapter, &info);
    copy_text(g->name, sizeof g->name, info.device);
    copy_text(g->driver, sizeof g->driver, info.description);
    g->api = info.backend == WGPU_BACKEND_METAL ? "Metal" : "Vulkan";
    g->software = info.type == WGPU_ADAPTER_CPU;
    if (g->software && g->deadline_ms == DEADLINE_MS) g->deadline_ms *= 6;     /* it compiles while it is waited for */
    g->w.AdapterInfoFreeMembers(info);
}

static vox_status open_device(gpu *g, const gpu_options *o, vox_error *err) {
    WGPUEnum features[2] = { WGPU_FEATURE_IMMEDIATES };
    WGPULimits limits = { 0 };
    WGPUDeviceDescriptor d = { .feature_count = 1, .features = features, .limits = &limits };
    g->w.AdapterGetLimits(g->adapter, &limits);
    limits.next = NULL;
    g->subgroups = !o->no_subgroups && g->w.AdapterHasFeature(g->adapter, WGPU_FEATURE_SUBGROUP);
    if (g->subgroups) features[d.feature_count++] = WGPU_FEATURE_SUBGROUP;
    d.lost = (WGPULostCallback){ NULL, WGPU_CALLBACK_SPONTANEOUS, on_lost, g, NULL };
    d.uncaptured = (WGPUErrorCallback){ NULL, on_error, g, NULL };
    g->w.AdapterRequestDevice(g->adapter, &d, (WGPUDeviceCallback){ NULL, WGPU_CALLBACK_SPONTANEOUS, on_device, g, NULL });
    const double end = vox_now_ms() + DEADLINE_MS;
    while (!g->device && gpu_ok(g) && vox_now_ms() < end) g->w.InstanceProcessEvents(g->instance);
    if (!g->device) return vox_fail(err, VOX_ERR_DEVICE, "%s cannot be used: %s.", g->name, gpu_ok(g) ? "it does not answer" : g->why);
    if (limits.workgroup_invocations < 256 || limits.workgroup_storage < 32768 || limits.storage_buffers_per_stage < GPU_MAX_BINDINGS)
        return vox_fail(err, VOX_ERR_UNSUPPORTED, "%s is too small: its work groups have %u threads and %u bytes.", g->name,
                        limits.workgroup_invocations, limits.workgroup_storage);
    const uint64_t most = limits.storage_binding_size < limits.buffer_size ? limits.storage_binding_size : limits.buffer_size;
    g->max_binding = o->max_binding && o->max_binding < most ? o->max_binding : most;
    g->queue = g->w.DeviceGetQueue(g->device);
    return VOX_OK;
}

typedef struct opening {
    gpu *g;
    const gpu_options *options;
    vox_error *err;
    vox_status status;
} opening;

static void open_all(void *user) {
    opening *o = user;
    gpu *g = o->g;
    WGPUInstanceExtras extras = { .chain = { NULL, WGPU_TYPE_INSTANCE_EXTRAS }, .backends = WGPU_INSTANCE_VULKAN | WGPU_INSTANCE_METAL };
    WGPUInstanceDescriptor d = { &extras.chain, 0, NULL, NULL };
    g->instance = g->w.CreateInstance(&d);
    o->status = g->instance ? choose_adapter(g, o->options, o->err)
                            : vox_fail(o->err, VOX_ERR_UNSUPPORTED, "wgpu-native does not start here.");
    if (o->status != VOX_OK) return;
    describe(g);
    o->status = open_device(g, o->options, o->err);
}

vox_status gpu_open(gpu *g, const gpu_options *o, vox_error *err) {
    opening all = { g, o, err, VOX_ERR_UNSUPPORTED };
    memset(g, 0, sizeof *g);
    g->checked = o->checked;
    g->deadline_ms = o->deadline_ms > 0 ? o->deadline_ms : DEADLINE_MS;
    g->budget = FIRST_BUDGET;
    vox_status status = webgpu_load(&g->w, o->library, err);
    if (status != VOX_OK) return status;
    if (gpu_guarded(open_all, &all)) {
        status = all.status;
    } else {
        gpu_give_up(g, "aborted");
        status = vox_fail(err, VOX_ERR_DEVICE, "The driver of %s gave up when it was asked.", *g->name ? g->name : "the GPU");
    }
    if (status == VOX_OK) {
        g->groups = vox_alloc_zero(GPU_BIND_GROUPS, sizeof *g->groups);
        if (!g->groups) status = vox_fail(err, VOX_ERR_MEMORY, "There is no memory for the GPU.");
    }
    if (status != VOX_OK) gpu_close(g);
    return status;
}

/* ---- bind groups ----------------------------------------------------------------------- */

static void forget_groups(gpu *g) {
    for (int i = 0; g->groups && !g->dead && i < GPU_BIND_GROUPS; i++)
        if (g->groups[i].handle) g->w.BindGroupRelease(g->groups[i].handle);
    if (g->groups) memset(g->groups, 0, GPU_BIND_GROUPS * sizeof *g->groups);
    g->n_groups = 0;
}

static uint64_t hash(gpu_kernel kernel, const gpu_bind *binds, int n) {
    uint64_t h = (uint64_t)kernel + 1;
    for (int i = 0; i < n; i++) {
        const uint64_t parts[] = { (uint64_t)(uintptr_t)binds[i].buffer->handle, binds[i].offset, binds[i].size };
        for (int j = 0; j < 3; j++) h = (h ^ parts[j]) * 0x9E3779B97F4A7C15u, h ^= h >> 29;
    }
    return h;
}

static int is_group(const gpu_bind_group *e, gpu_kernel kernel, const gpu_bind *binds, int n) {
    if (e->kernel != kernel || e->n != n) return 0;
    for (int i = 0; i < n; i++)
        if (e->buffers[i] != binds[i].buffer->handle || e->binds[i].offset != binds[i].offset ||
            e->binds[i].size != binds[i].size)
            return 0;
    return 1;
}

static WGPUBindGroup make_group(gpu *g, gpu_kernel kernel, const gpu_bind *binds, int n) {
    WGPUBindGroupEntry entries[GPU_MAX_BINDINGS];
    for (int i = 0; i < n; i++) {
        const uint64_t rest = binds[i].buffer->size - binds[i].offset;
        entries[i] = (WGPUBindGroupEntry){ .binding = (uint32_t)i, .buffer = binds[i].buffer->handle, .offset = binds[i].offset,
                                           .size = binds[i].size ? binds[i].size : rest };
    }
    const WGPUBindGroupDescriptor d = { .label = { "", 0 }, .layout = g->layouts[kernel], .count = (size_t)n, .entries = entries };
    return g->w.DeviceCreateBindGroup(g->device, &d);
}

/* Made once for each set of buffers. */
static WGPUBindGroup group_for(gpu *g, gpu_kernel kernel, const gpu_bind *binds, int n) {
    uint64_t at = hash(kernel, binds, n);
    if (g->n_groups > GPU_BIND_GROUPS * 3 / 4) forget_groups(g);
    for (;; at++) {
        gpu_bind_group *e = &g->groups[at % GPU_BIND_GROUPS];
        if (e->handle && is_group(e, kernel, binds, n)) return e->handle;
        if (e->handle) continue;
        e->kernel = kernel;
        e->n = n;
        for (int i = 0; i < n; i++) {
            e->binds[i] = binds[i];
            e->buffers[i] = binds[i].buffer->handle;
        }
        e->handle = make_group(g, kernel, binds, n);
        g->n_groups++;
        return e->handle;
    }
}

/* ---- memory ---------------------------------------------------------------------------- */

static gpu_buffer alloc_for(gpu *g, uint64_t size, WGPUFlags usage) {
    gpu_buffer b = { NULL, (size + GPU_ALIGN - 1) / GPU_ALIGN * GPU_ALIGN };
    const WGPUBufferDescriptor d = { .label = { "", 0 }, .usage = usage, .size = b.size };
    if (!gpu_ok(g)) return (gpu_buffer){ NULL, 0 };
    gpu_scopes_open(g);
    b.handle = g->w.DeviceCreateBuffer(g->device, &d);
    gpu_scopes_close(g);
    if (!b.handle) gpu_fail(g, "the GPU has no memory for %llu bytes", (unsigned long long)size);
    return b;
}

gpu_buffer gpu_alloc(gpu *g, uint64_t size) {
    return alloc_for(g, size, WGPU_BUFFER_STORAGE | WGPU_BUFFER_COPY_SRC | WGPU_BUFFER_COPY_DST);
}

void gpu_free(gpu *g, gpu_buffer *b) {
    if (b->handle && !g->dead) {
        forget_groups(g);
        g->w.BufferDestroy(b->handle);
        g->w.BufferRelease(b->handle);
    }
    *b = (gpu_buffer){ NULL, 0 };
}

void gpu_write(gpu *g, const gpu_buffer *b, uint64_t offset, const void *data, size_t bytes) {
    if (gpu_ok(g)) g->w.QueueWriteBuffer(g->queue, b->handle, offset, data, bytes);
}

/* ---- recording ------------------------------------------------------------------------- */

static int begin(gpu *g) {
    if (!gpu_ok(g)) return 0;
    if (!g->encoder) {
        const WGPUNamed d = { NULL, { "", 0 } };
        gpu_scopes_open(g);
        g->encoder = g->w.DeviceCreateCommandEncoder(g->device, &d);
    }
    return 1;
}

static void end_pass(gpu *g) {
    if (!g->pass) return;
    g->w.ComputePassEncoderEnd(g->pass);
    g->w.ComputePassEncoderRelease(g->pass);
    g->pass = NULL;
}

void gpu_dispatch(gpu *g, gpu_kernel kernel, uint32_t variant, const gpu_bind *binds, int n_binds,
                  const void *params, size_t params_size, uint32_t x, uint32_t y, uint32_t z) {
    const WGPUComputePipeline pipeline = gpu_ok(g) ? gpu_pipeline_get(g, kernel, variant) : NULL;
    if (!pipeline || !begin(g)) return;
    if (!g->pass) g->pass = g->w.CommandEncoderBeginComputePass(g->encoder, NULL);
    g->w.ComputePassEncoderSetPipeline(g->pass, pipeline);
    g->w.ComputePassEncoderSetBindGroup(g->pass, 0, group_for(g, kernel, binds, n_binds), 0, NULL);
    g->w.ComputePassEncoderSetImmediates(g->pass, 0, params, params_size);
    g->w.ComputePassEncoderDispatchWorkgroups(g->pass, x, y, z);
    g->dispatches++;
}

void gpu_copy(gpu *g, const gpu_buffer *from, uint64_t from_offset, const gpu_buffer *to, uint64_t to_offset, uint64_t bytes) {
    if (!begin(g)) return;
    end_pass(g);
    g->w.CommandEncoderCopyBufferToBuffer(g->encoder, from->handle, from_offset, to->handle, to_offset, bytes);
}

static void note_submit(gpu *g) {
    if (g->submitted <= 0) g->since = vox_now_ms();
    if (g->work > g->longest) g->longest = g->work;
    g->submitted += g->work;
    g->work = 0;
    g->submits++;
}

static void submit(void *user) {
    gpu *g = user;
    g->w.QueueSubmit(g->queue, 1, &g->commands);
}

void gpu_submit(gpu *g) {
    if (!g->encoder || g->dead) return;
    const WGPUNamed d = { NULL, { "", 0 } };
    end_pass(g);
    g->commands = g->w.CommandEncoderFinish(g->encoder, &d);
    g->w.CommandEncoderRelease(g->encoder);
    g->encoder = NULL;
    gpu_scopes_close(g);
    if (gpu_ok(g) && !gpu_guarded(submit, g)) gpu_give_up(g, "the GPU was lost when it was given work");
    if (!g->dead) g->w.CommandBufferRelease(g->commands);
    note_submit(g);
}

void gpu_worked(gpu *g, double cost) {
    g->work += cost;
    if (g->work > g->budget) gpu_submit(g);
}

/* ---- reading --------------------------------------------------------------------------- */

static void on_mapped(WGPUEnum status, WGPUStringView message, void *user1, void *user2) {
    (void)message;
    (void)user2;
    *(int *)user1 = status == WGPU_SUCCESS ? 1 : -1;
}

static void poll_once(void *user) {
    gpu *g = user;
    g->w.DevicePoll(g->device, 0, NULL);
}

/* A blocking wait may never return where the system has killed the work, so ask until a deadline:
 * eagerly at first, then with short sleeps. */
static int wait_for(gpu *g, const int *done) {
    const double start = vox_now_ms();
    for (double ms = 0; !*done && gpu_ok(g); ms = vox_now_ms() - start) {
        if (!gpu_guarded(poll_once, g)) gpu_give_up(g, "the GPU was lost at its work");
        else if (*done) break;
        else if (ms > g->deadline_ms) gpu_give_up(g, "the GPU did not answer within %g s", g->deadline_ms / 1000);
        else if (ms > 1) nanosleep(&(struct timespec){ 0, 50000 }, NULL);
        else sched_yield();
    }
    return *done > 0;
}

/* So much work for one submit next time, at the speed seen since the first one that was waited for. */
static void learn(gpu *g) {
    const double ms = vox_now_ms() - g->since, good = g->submitted / ms * GOOD_MS;
    if (g->submitted > 1e7 && ms > 0.5) g->budget = fmax(FIRST_BUDGET / 20, good);
    if (g->most_budget > 0) g->budget = g->most_budget;
    g->submitted = 0;
}

int gpu_read(gpu *g, const gpu_buffer *b, uint64_t offset, void *data, size_t bytes) {
    if (g->readback.size < bytes) {
        gpu_free(g, &g->readback);
        g->readback = alloc_for(g, bytes, WGPU_BUFFER_COPY_DST | WGPU_BUFFER_MAP_READ);
    }
    gpu_copy(g, b, offset, &g->readback, 0, bytes);
    gpu_submit(g);
    if (!gpu_ok(g)) return 0;
    const WGPUMapCallback callback = { NULL, WGPU_CALLBACK_SPONTANEOUS, on_mapped, &g->mapped, NULL };
    g->mapped = 0;
    g->w.BufferMapAsync(g->readback.handle, WGPU_MAP_READ, 0, bytes, callback);
    if (!wait_for(g, &g->mapped)) {
        gpu_fail(g, "the GPU's results cannot be read");
        return 0;
    }
    const void *mapped = g->w.BufferGetConstMappedRange(g->readback.handle, 0, bytes);
    if (mapped) memcpy(data, mapped, bytes);
    else gpu_fail(g, "the GPU's results cannot be read");
    g->w.BufferUnmap(g->readback.handle);
    learn(g);
    return gpu_ok(g);
}

static void close_all(void *user) {
    gpu *g = user;
    gpu_free(g, &g->readback);
    forget_groups(g);
    gpu_pipelines_free(g);
    if (g->queue) g->w.QueueRelease(g->queue);
    if (g->device) {
        g->w.DeviceDestroy(g->device);
        g->w.DeviceRelease(g->device);
    }
    if (g->adapter) g->w.AdapterRelease(g->adapter);
    if (g->instance) g->w.InstanceRelease(g->instance);
}

void gpu_close(gpu *g) {
    gpu_submit(g);
    if (!g->dead) gpu_guarded(close_all, g);
    vox_free(g->groups);
    webgpu_unload(&g->w);
    memset(g, 0, sizeof *g);
}
