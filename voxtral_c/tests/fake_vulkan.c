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
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void (*function)(void);
typedef function (*finder)(void *of, const char *name);
enum { NO_DEVICE_MEMORY = -2, DEVICE_LOST = -4 };

static finder real_instance, real_device;

function vkGetInstanceProcAddr(void *instance, const char *name);

/* Is it time for that? */
static int fails(const char *what) {
    const char *wish = getenv("FAKE_VULKAN");
    const size_t n = strlen(what);
    return wish && !strncmp(wish, what, n) && wish[n] == '@' && access(wish + n + 1, F_OK) == 0;
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
     if (fails("start")) raise(SIGSEGV);)

static const struct { const char *name; function mine, *real; } fakes[] = {
#define F(name) { #name, (function)name, &real_##name },
    F(vkQueueSubmit) F(vkGetSemaphoreCounterValue) F(vkWaitSemaphores) F(vkGetFenceStatus) F(vkAllocateMemory) F(vkCreateBuffer)
    F(vkCmdDispatch) F(vkEnumeratePhysicalDevices) F(vkCreateInstance)
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
