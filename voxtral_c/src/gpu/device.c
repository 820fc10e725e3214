#include "device.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "guard.h"

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
    g->shares_memory = info.type != WGPU_ADAPTER_DISCRETE;
    if (g->software && g->deadline_ms == DEADLINE_MS) g->deadline_ms *= 6;     /* it compiles while it is waited for */
    g->w.AdapterInfoFreeMembers(info);
}

static vox_status open_device(gpu *g, const gpu_options *o, vox_error *err) {
    WGPUEnum features[2] = { WGPU_FEATURE_IMMEDIATES };
    WGPULimits limits = { 0 };
    WGPUDeviceDescriptor d = { .feature_count = 1, .features = features, .limits = &limits };
    g->w.AdapterGetLimits(g->adapter, &limits);
    limits.next = NULL;
    g->pretended_lanes = o->no_subgroups ? 0 : o->pretended_lanes;
    g->subgroups = !o->no_subgroups && (g->pretended_lanes || g->w.AdapterHasFeature(g->adapter, WGPU_FEATURE_SUBGROUP));
    if (g->subgroups && !g->pretended_lanes) features[d.feature_count++] = WGPU_FEATURE_SUBGROUP;
    d.lost = (WGPULostCallback){ NULL, WGPU_CALLBACK_SPONTANEOUS, on_lost, g, NULL };
    d.uncaptured = (WGPUErrorCallback){ NULL, on_error, g, NULL };
    g->w.AdapterRequestDevice(g->adapter, &d, (WGPUDeviceCallback){ NULL, WGPU_CALLBACK_SPONTANEOUS, on_device, g, NULL });
    const double end = vox_now_ms() + DEADLINE_MS;
    while (!g->device && gpu_ok(g) && vox_now_ms() < end) g->w.InstanceProcessEvents(g->instance);
    if (!g->device) return vox_fail(err, VOX_ERR_DEVICE, "%s cannot be used: %s.", g->name, gpu_ok(g) ? "it does not answer" : g->why);
    if (limits.workgroup_invocations < 256 || limits.workgroup_storage < 16384 || limits.storage_buffers_per_stage < GPU_MAX_BINDINGS)
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
    g->budget = GPU_FIRST_BUDGET;
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

static void close_all(void *user) {
    gpu *g = user;
    gpu_free(g, &g->readback);
    gpu_forget_groups(g);
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
