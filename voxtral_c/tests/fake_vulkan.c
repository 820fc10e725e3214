/* fake_vulkan.c - a Vulkan library that passes everything on to the real one until it fails, as the
 * drivers of real GPUs do. Built as libvulkan.so.1 and put before the real one:
 *
 *   FAKE_VULKAN=lost@N     from the N-th submit on each says that the device is lost
 *   FAKE_VULKAN=wait@N     after N submits, asking for their end says so
 *   FAKE_VULKAN=hang@N     from the N-th submit on nothing is done any more
 *   FAKE_VULKAN=crash@N    the N-th submit is a segmentation fault
 *   FAKE_VULKAN=wrong@N    from the N-th dispatch on none is done
 *   FAKE_VULKAN=memory@N   from the N-th allocation on there is no memory
 *   FAKE_VULKAN=gone@0     there is no GPU of any kind
 *   FAKE_VULKAN=start@0    a segmentation fault when it is first asked
 *   REAL_VULKAN=PATH       the real one
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*function)(void);
typedef function (*finder)(void *of, const char *name);
enum { NO_DEVICE_MEMORY = -2, DEVICE_LOST = -4 };

static finder real_instance, real_device;
static long submits, dispatches, allocations;

function vkGetInstanceProcAddr(void *instance, const char *name);

/* From now on, where that is what shall fail? */
static int fails(const char *what, long count) {
    const char *wish = getenv("FAKE_VULKAN");
    const size_t n = strlen(what);
    return wish && !strncmp(wish, what, n) && wish[n] == '@' && count >= atol(wish + n + 1);
}

#define FAKE(name, result, parameters, arguments, before) \
    static function real_##name;                          \
    static result name parameters {                       \
        before                                            \
        return ((result (*) parameters)real_##name) arguments; \
    }

FAKE(vkQueueSubmit, int, (void *queue, uint32_t n, const void *submits_, uint64_t fence), (queue, n, submits_, fence),
     submits++;
     if (fails("lost", submits)) return DEVICE_LOST;
     if (fails("hang", submits)) return 0;
     if (fails("crash", submits)) raise(SIGSEGV);)
FAKE(vkGetSemaphoreCounterValue, int, (void *device, uint64_t semaphore, uint64_t *value), (device, semaphore, value),
     if (fails("wait", submits)) return DEVICE_LOST;)
FAKE(vkWaitSemaphores, int, (void *device, const void *info, uint64_t ns), (device, info, ns),
     if (fails("wait", submits)) return DEVICE_LOST;)
FAKE(vkGetFenceStatus, int, (void *device, uint64_t fence), (device, fence),
     if (fails("wait", submits)) return DEVICE_LOST;)
FAKE(vkAllocateMemory, int, (void *device, const void *info, const void *allocator, void *memory), (device, info, allocator, memory),
     if (fails("memory", ++allocations)) return NO_DEVICE_MEMORY;)
FAKE(vkCmdDispatch, void, (void *commands, uint32_t x, uint32_t y, uint32_t z), (commands, x, y, z),
     if (fails("wrong", ++dispatches)) return;)
FAKE(vkEnumeratePhysicalDevices, int, (void *instance, uint32_t *n, void *devices), (instance, n, devices),
     if (fails("gone", 0)) return *n = 0;)
FAKE(vkCreateInstance, int, (const void *info, const void *allocator, void *instance), (info, allocator, instance),
     if (fails("start", 0)) raise(SIGSEGV);)

static const struct { const char *name; function mine, *real; } fakes[] = {
#define F(name) { #name, (function)name, &real_##name },
    F(vkQueueSubmit) F(vkGetSemaphoreCounterValue) F(vkWaitSemaphores) F(vkGetFenceStatus) F(vkAllocateMemory)
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
