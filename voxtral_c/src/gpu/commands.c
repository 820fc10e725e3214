/* commands.c - what a GPU is told: memory, recorded work, and its results. */
#include <math.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "guard.h"

/* A submit should take some 50 ms: systems take a GPU away from whoever holds it for long. */
#define GOOD_MS 50.0
#define MOST_PAUSE_MS 100.0

/* ---- bind groups ----------------------------------------------------------------------- */

void gpu_forget_groups(gpu *g) {
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
    if (g->n_groups > GPU_BIND_GROUPS * 3 / 4) gpu_forget_groups(g);
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
        gpu_forget_groups(g);
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
 * eagerly at first, then with short sleeps. Time in which nobody could ask, as the machine slept or this
 * process was stopped, does not count. */
static int wait_for(gpu *g, const int *done) {
    double last = vox_now_ms();
    for (double ms = 0; !*done && gpu_ok(g);) {
        if (!gpu_guarded(poll_once, g)) gpu_give_up(g, "the GPU was lost at its work");
        else if (*done) break;
        else if (ms > g->deadline_ms) gpu_give_up(g, "the GPU did not answer within %g s", g->deadline_ms / 1000);
        else if (ms > 1) nanosleep(&(struct timespec){ 0, 50000 }, NULL);
        else sched_yield();
        const double now = vox_now_ms();
        ms += fmin(now - last, MOST_PAUSE_MS);
        last = now;
    }
    return *done > 0;
}

/* So much work for one submit next time, at the speed seen since the first one that was waited for. */
static void learn(gpu *g) {
    const double ms = vox_now_ms() - g->since, good = g->submitted / ms * GOOD_MS;
    if (g->submitted > 1e7 && ms > 0.5) g->budget = fmax(GPU_FIRST_BUDGET / 20, good);
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
