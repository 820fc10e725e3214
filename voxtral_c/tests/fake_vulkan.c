/* fake_vulkan.c - a Vulkan library that passes everything on to the real one until it fails, as the
 * drivers of real GPUs do. Built as libvulkan.so.1 and put before the real one:
 *
 *   REAL_VULKAN    the path of the real one
 *   FAKE_VULKAN    WHAT@FILE: it fails from the moment on at which there is such a file. WHAT is one of
 *     lost     a submit says that the device is lost
 *     wait     asking for the end of a submit says so
 *     hang     what is submitted is not done
 *     crash    a submit is a segmentation fault
 *     wrong    dispatches do nothing
 *     memory   there is no memory
 *     gone     there is no GPU of any kind
 *     start    a segmentation fault as soon as it is asked
 *     mute     no answer at all as soon as it is asked
 *     mixed    shuffles in subgroups bring another thread's number
 *   FAKE_AFTER     so many calls that would have failed go well before
 *   FAKE_REAL      software says that it is a graphics card
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void (*function)(void);
typedef function (*finder)(void *of, const char *name);
enum { NO_DEVICE_MEMORY = -2, DEVICE_LOST = -4, DISCRETE = 2 };

static finder real_instance, real_device;

function vkGetInstanceProcAddr(void *instance, const char *name);

/* Is it time for that? */
static int fails(const char *what) {
    static atomic_int calls;
    const char *wish = getenv("FAKE_VULKAN"), *after = getenv("FAKE_AFTER");
    const size_t n = strlen(what);
    return wish && !strncmp(wish, what, n) && wish[n] == '@' && access(wish + n + 1, F_OK) == 0 && atomic_fetch_add(&calls, 1) >= (after ? atoi(after) : 0);
}

#define FAKE(name, result, parameters, arguments, before) \
    static function real_##name;                          \
    static result name parameters {                       \
        before                                            \
        return ((result (*) parameters)real_##name) arguments; \
    }

FAKE(vkQueueSubmit, int, (void *queue, uint32_t n, const void *submits, uint64_t fence), (queue, n, submits, fence),
     if (fails("lost")) return DEVICE_LOST;
     if (fails("hang")) return 0;
     if (fails("crash")) raise(SIGSEGV);)
FAKE(vkGetSemaphoreCounterValue, int, (void *device, uint64_t semaphore, uint64_t *value), (device, semaphore, value),
     if (fails("wait")) return DEVICE_LOST;)
FAKE(vkWaitSemaphores, int, (void *device, const void *info, uint64_t ns), (device, info, ns),
     if (fails("wait")) return DEVICE_LOST;)
FAKE(vkGetFenceStatus, int, (void *device, uint64_t fence), (device, fence),
     if (fails("wait")) return DEVICE_LOST;)
FAKE(vkAllocateMemory, int, (void *device, const void *info, const void *allocator, void *memory), (device, info, allocator, memory),
     if (fails("memory")) return NO_DEVICE_MEMORY;)
FAKE(vkCreateBuffer, int, (void *device, const void *info, const void *allocator, void *buffer), (device, info, allocator, buffer),
     if (fails("memory")) return NO_DEVICE_MEMORY;)
FAKE(vkCmdDispatch, void, (void *commands, uint32_t x, uint32_t y, uint32_t z), (commands, x, y, z),
     if (fails("wrong")) return;)
FAKE(vkEnumeratePhysicalDevices, int, (void *instance, uint32_t *n, void *devices), (instance, n, devices),
     if (fails("gone")) return *n = 0;)
FAKE(vkCreateInstance, int, (const void *info, const void *allocator, void *instance), (info, allocator, instance),
     if (fails("start")) raise(SIGSEGV);
     while (fails("mute")) sleep(1);)

typedef struct { int type; const void *next; uint32_t flags; size_t size; const uint32_t *code; } shader;
enum { SPIRV_HEADER = 5, SHUFFLE = 345, SHUFFLE_XOR = 346 };

static function real_vkCreateShaderModule;
static int vkCreateShaderModule(void *device, const shader *info, const void *allocator, void *module) {
    int (*const real)(void *, const shader *, const void *, void *) = (int (*)(void *, const shader *, const void *, void *))real_vkCreateShaderModule;
    if (!fails("mixed")) return real(device, info, allocator, module);
    uint32_t *code = malloc(info->size);
    shader mixed = *info;
    memcpy(code, info->code, info->size);
    for (size_t i = SPIRV_HEADER; i < info->size / 4 && code[i] >> 16; i += code[i] >> 16)
        if ((code[i] & 0xffff) == SHUFFLE_XOR) code[i] = (code[i] & 0xffff0000) | SHUFFLE;
    mixed.code = code;
    const int result = real(device, &mixed, allocator, module);
    free(code);
    return result;
}

/* Of VkPhysicalDeviceProperties2 what comes before the device's type: sType, pNext, four numbers. */
typedef struct { int type; void *next; uint32_t numbers[4]; int kind; } properties;
static function real_vkGetPhysicalDeviceProperties2, real_vkGetPhysicalDeviceProperties;
static void vkGetPhysicalDeviceProperties2(void *device, properties *p) {
    ((void (*)(void *, properties *))real_vkGetPhysicalDeviceProperties2)(device, p);
    if (getenv("FAKE_REAL")) p->kind = DISCRETE;
}
static void vkGetPhysicalDeviceProperties(void *device, uint32_t *p) {
    ((void (*)(void *, uint32_t *))real_vkGetPhysicalDeviceProperties)(device, p);
    if (getenv("FAKE_REAL")) p[4] = DISCRETE;
}

static const struct { const char *name; function mine, *real; } fakes[] = {
#define F(name) { #name, (function)name, &real_##name },
    F(vkQueueSubmit) F(vkGetSemaphoreCounterValue) F(vkWaitSemaphores) F(vkGetFenceStatus) F(vkAllocateMemory) F(vkCreateBuffer)
    F(vkCmdDispatch) F(vkEnumeratePhysicalDevices) F(vkCreateInstance) F(vkCreateShaderModule)
    F(vkGetPhysicalDeviceProperties2) F(vkGetPhysicalDeviceProperties)
#undef F
};

static function wrap(const char *name, function found) {
    for (size_t i = 0; found && i < sizeof fakes / sizeof *fakes; i++) {
        const size_t n = strlen(fakes[i].name);
        if (strncmp(name, fakes[i].name, n) != 0 || (name[n] && strcmp(name + n, "KHR") != 0)) continue;
        *fakes[i].real = found;
        return fakes[i].mine;
    }
    return found;
}

static function vkGetDeviceProcAddr(void *device, const char *name) { return wrap(name, real_device(device, name)); }

function vkGetInstanceProcAddr(void *instance, const char *name) {
    if (!real_instance) {
        const char *path = getenv("REAL_VULKAN");
        void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL, *symbol = library ? dlsym(library, "vkGetInstanceProcAddr") : NULL;
        if (!symbol) return NULL;
        memcpy(&real_instance, &symbol, sizeof symbol);
    }
    const function found = real_instance(instance, name);
    if (found && !strcmp(name, "vkGetDeviceProcAddr")) {
        memcpy(&real_device, &found, sizeof found);
        return (function)vkGetDeviceProcAddr;
    }
    return wrap(name, found);
}
