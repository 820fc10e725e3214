/* webgpu.h - the part of the WebGPU interface of wgpu-native 29 that is used here.
 *
 * Declared anew, so that nothing is needed at build time: names, values and layouts are those of
 * webgpu.h and wgpu.h in the wheel of wgpu 0.32. They belong to that version; the loader refuses
 * others.
 */
#ifndef VOX_GPU_WEBGPU_H
#define VOX_GPU_WEBGPU_H

#include <stddef.h>
#include <stdint.h>

enum { WGPU_MAJOR = 29 };

typedef uint64_t WGPUFlags;
typedef uint32_t WGPUBool, WGPUEnum;
typedef struct { const char *data; size_t length; } WGPUStringView;
typedef struct WGPUChain { struct WGPUChain *next; WGPUEnum type; } WGPUChain;
typedef struct { uint64_t id; } WGPUFuture;
#define WGPU_STRLEN SIZE_MAX

#define WGPU_HANDLE(name) typedef struct name##Impl *name
WGPU_HANDLE(WGPUInstance);
WGPU_HANDLE(WGPUAdapter);
WGPU_HANDLE(WGPUDevice);
WGPU_HANDLE(WGPUQueue);
WGPU_HANDLE(WGPUBuffer);
WGPU_HANDLE(WGPUShaderModule);
WGPU_HANDLE(WGPUBindGroupLayout);
WGPU_HANDLE(WGPUPipelineLayout);
WGPU_HANDLE(WGPUComputePipeline);
WGPU_HANDLE(WGPUBindGroup);
WGPU_HANDLE(WGPUCommandEncoder);
WGPU_HANDLE(WGPUComputePass);
WGPU_HANDLE(WGPUCommandBuffer);
#undef WGPU_HANDLE

enum {
    WGPU_TYPE_WGSL = 2, WGPU_TYPE_INSTANCE_EXTRAS = 0x30004,
    WGPU_INSTANCE_VULKAN = 1, WGPU_INSTANCE_METAL = 4,
    WGPU_BACKEND_METAL = 5, WGPU_BACKEND_VULKAN = 6,
    WGPU_ADAPTER_DISCRETE = 1, WGPU_ADAPTER_INTEGRATED = 2, WGPU_ADAPTER_CPU = 3,
    WGPU_FEATURE_IMMEDIATES = 0x30001, WGPU_FEATURE_SUBGROUP = 0x30021,
    WGPU_BUFFER_MAP_READ = 1, WGPU_BUFFER_COPY_SRC = 4, WGPU_BUFFER_COPY_DST = 8, WGPU_BUFFER_STORAGE = 0x80,
    WGPU_MAP_READ = 1,
    WGPU_STAGE_COMPUTE = 4,
    WGPU_BINDING_STORAGE = 3, WGPU_BINDING_READ_ONLY = 4,
    WGPU_SCOPE_VALIDATION = 1, WGPU_SCOPE_MEMORY = 2, WGPU_SCOPE_INTERNAL = 3,
    WGPU_NO_ERROR = 1,
    WGPU_SUCCESS = 1,
    WGPU_LOST_DESTROYED = 2,
    WGPU_CALLBACK_SPONTANEOUS = 3
};

typedef struct { WGPUChain *next; size_t feature_count; const WGPUEnum *features; const void *limits; } WGPUInstanceDescriptor;

/* The fields behind `flags` are left zero: their defaults. The size is that of the whole struct. */
typedef struct { WGPUChain chain; WGPUFlags backends, flags; uint64_t rest[24]; } WGPUInstanceExtras;

typedef struct {
    WGPUChain *next;
    WGPUStringView vendor, architecture, device, description;
    WGPUEnum backend, type;
    uint32_t vendor_id, device_id, subgroup_min, subgroup_max;
} WGPUAdapterInfo;

typedef struct {
    WGPUChain *next;
    uint32_t textures[4], bind_groups, bind_groups_and_vertex_buffers, bindings_per_group, dynamic[2], sampled[2];
    uint32_t storage_buffers_per_stage, storage_textures_per_stage, uniform_buffers_per_stage;
    uint64_t uniform_binding_size, storage_binding_size;
    uint32_t uniform_alignment, storage_alignment, vertex_buffers;
    uint64_t buffer_size;
    uint32_t vertex[3], color[2];
    uint32_t workgroup_storage, workgroup_invocations, workgroup_size[3], workgroups_per_dimension, immediate_size;
} WGPULimits;

#define WGPU_CALLBACK(name, fn) typedef struct { WGPUChain *next; WGPUEnum mode; fn call; void *user1, *user2; } name
typedef void (*WGPUDeviceFn)(WGPUEnum status, WGPUDevice device, WGPUStringView message, void *user1, void *user2);
typedef void (*WGPULostFn)(const WGPUDevice *device, WGPUEnum reason, WGPUStringView message, void *user1, void *user2);
typedef void (*WGPUErrorFn)(const WGPUDevice *device, WGPUEnum type, WGPUStringView message, void *user1, void *user2);
typedef void (*WGPUMapFn)(WGPUEnum status, WGPUStringView message, void *user1, void *user2);
typedef void (*WGPUScopeFn)(WGPUEnum status, WGPUEnum type, WGPUStringView message, void *user1, void *user2);
WGPU_CALLBACK(WGPUDeviceCallback, WGPUDeviceFn);
WGPU_CALLBACK(WGPULostCallback, WGPULostFn);
WGPU_CALLBACK(WGPUMapCallback, WGPUMapFn);
WGPU_CALLBACK(WGPUScopeCallback, WGPUScopeFn);
#undef WGPU_CALLBACK
typedef struct { WGPUChain *next; WGPUErrorFn call; void *user1, *user2; } WGPUErrorCallback;

typedef struct { WGPUChain *next; WGPUStringView label; } WGPUNamed;   /* several descriptors */

typedef struct {
    WGPUChain *next;
    WGPUStringView label;
    size_t feature_count;
    const WGPUEnum *features;
    const WGPULimits *limits;
    WGPUNamed queue;
    WGPULostCallback lost;
    WGPUErrorCallback uncaptured;
} WGPUDeviceDescriptor;

typedef struct { WGPUChain *next; WGPUStringView label; WGPUFlags usage; uint64_t size; WGPUBool mapped; } WGPUBufferDescriptor;
typedef struct { WGPUChain chain; WGPUStringView code; } WGPUShaderSource;

typedef struct {
    WGPUChain *next;
    uint32_t binding;
    WGPUFlags visibility;
    uint32_t array_size;
    struct { WGPUChain *next; WGPUEnum type; WGPUBool dynamic_offset; uint64_t least; } buffer;
    struct { WGPUChain *next; WGPUEnum type; } sampler;
    struct { WGPUChain *next; WGPUEnum type, dimension; WGPUBool multisampled; } texture;
    struct { WGPUChain *next; WGPUEnum access, format, dimension; } storage_texture;
} WGPUBindGroupLayoutEntry;

typedef struct { WGPUChain *next; WGPUStringView label; size_t count; const WGPUBindGroupLayoutEntry *entries; } WGPUBindGroupLayoutDescriptor;

typedef struct {
    WGPUChain *next;
    WGPUStringView label;
    size_t count;
    const WGPUBindGroupLayout *layouts;
    uint32_t immediate_size;
} WGPUPipelineLayoutDescriptor;

typedef struct {
    WGPUChain *next;
    WGPUStringView label;
    WGPUPipelineLayout layout;
    struct { WGPUChain *next; WGPUShaderModule module; WGPUStringView entry; size_t constant_count; const void *constants; } compute;
} WGPUComputePipelineDescriptor;

typedef struct {
    WGPUChain *next;
    uint32_t binding;
    WGPUBuffer buffer;
    uint64_t offset, size;
    void *sampler, *texture;
} WGPUBindGroupEntry;

typedef struct {
    WGPUChain *next;
    WGPUStringView label;
    WGPUBindGroupLayout layout;
    size_t count;
    const WGPUBindGroupEntry *entries;
} WGPUBindGroupDescriptor;

/* Every function used: result, name, parameters. */
#define WGPU_FUNCTIONS(F)                                                                                          \
    F(uint32_t, GetVersion, (void))                                                                                \
    F(WGPUInstance, CreateInstance, (const WGPUInstanceDescriptor *))                                              \
    F(void, InstanceProcessEvents, (WGPUInstance))                                                                 \
    F(size_t, InstanceEnumerateAdapters, (WGPUInstance, const void *, WGPUAdapter *))                              \
    F(void, InstanceRelease, (WGPUInstance))                                                                       \
    F(uint32_t, AdapterGetInfo, (WGPUAdapter, WGPUAdapterInfo *))                                                  \
    F(void, AdapterInfoFreeMembers, (WGPUAdapterInfo))                                                             \
    F(uint32_t, AdapterGetLimits, (WGPUAdapter, WGPULimits *))                                                     \
    F(WGPUBool, AdapterHasFeature, (WGPUAdapter, WGPUEnum))                                                        \
    F(WGPUFuture, AdapterRequestDevice, (WGPUAdapter, const WGPUDeviceDescriptor *, WGPUDeviceCallback))           \
    F(void, AdapterRelease, (WGPUAdapter))                                                                         \
    F(WGPUQueue, DeviceGetQueue, (WGPUDevice))                                                                     \
    F(WGPUBool, DevicePoll, (WGPUDevice, WGPUBool, const uint64_t *))                                              \
    F(void, DevicePushErrorScope, (WGPUDevice, WGPUEnum))                                                          \
    F(WGPUFuture, DevicePopErrorScope, (WGPUDevice, WGPUScopeCallback))                                            \
    F(void, DeviceDestroy, (WGPUDevice))                                                                           \
    F(void, DeviceRelease, (WGPUDevice))                                                                           \
    F(WGPUBuffer, DeviceCreateBuffer, (WGPUDevice, const WGPUBufferDescriptor *))                                  \
    F(WGPUShaderModule, DeviceCreateShaderModule, (WGPUDevice, const WGPUNamed *))                                 \
    F(WGPUShaderModule, DeviceCreateShaderModuleTrusted, (WGPUDevice, const WGPUNamed *, WGPUFlags))               \
    F(void, ShaderModuleRelease, (WGPUShaderModule))                                                               \
    F(WGPUBindGroupLayout, DeviceCreateBindGroupLayout, (WGPUDevice, const WGPUBindGroupLayoutDescriptor *))       \
    F(void, BindGroupLayoutRelease, (WGPUBindGroupLayout))                                                         \
    F(WGPUPipelineLayout, DeviceCreatePipelineLayout, (WGPUDevice, const WGPUPipelineLayoutDescriptor *))          \
    F(void, PipelineLayoutRelease, (WGPUPipelineLayout))                                                           \
    F(WGPUComputePipeline, DeviceCreateComputePipeline, (WGPUDevice, const WGPUComputePipelineDescriptor *))       \
    F(void, ComputePipelineRelease, (WGPUComputePipeline))                                                         \
    F(WGPUBindGroup, DeviceCreateBindGroup, (WGPUDevice, const WGPUBindGroupDescriptor *))                         \
    F(void, BindGroupRelease, (WGPUBindGroup))                                                                     \
    F(WGPUCommandEncoder, DeviceCreateCommandEncoder, (WGPUDevice, const WGPUNamed *))                             \
    F(WGPUComputePass, CommandEncoderBeginComputePass, (WGPUCommandEncoder, const void *))                         \
    F(void, CommandEncoderCopyBufferToBuffer, (WGPUCommandEncoder, WGPUBuffer, uint64_t, WGPUBuffer, uint64_t, uint64_t)) \
    F(WGPUCommandBuffer, CommandEncoderFinish, (WGPUCommandEncoder, const WGPUNamed *))                            \
    F(void, CommandEncoderRelease, (WGPUCommandEncoder))                                                           \
    F(void, CommandBufferRelease, (WGPUCommandBuffer))                                                             \
    F(void, ComputePassEncoderSetPipeline, (WGPUComputePass, WGPUComputePipeline))                                 \
    F(void, ComputePassEncoderSetBindGroup, (WGPUComputePass, uint32_t, WGPUBindGroup, size_t, const uint32_t *))  \
    F(void, ComputePassEncoderSetImmediates, (WGPUComputePass, uint32_t, const void *, size_t))                    \
    F(void, ComputePassEncoderDispatchWorkgroups, (WGPUComputePass, uint32_t, uint32_t, uint32_t))                 \
    F(void, ComputePassEncoderEnd, (WGPUComputePass))                                                              \
    F(void, ComputePassEncoderRelease, (WGPUComputePass))                                                          \
    F(void, QueueSubmit, (WGPUQueue, size_t, const WGPUCommandBuffer *))                                           \
    F(void, QueueWriteBuffer, (WGPUQueue, WGPUBuffer, uint64_t, const void *, size_t))                             \
    F(void, QueueRelease, (WGPUQueue))                                                                             \
    F(WGPUFuture, BufferMapAsync, (WGPUBuffer, WGPUFlags, size_t, size_t, WGPUMapCallback))                        \
    F(const void *, BufferGetConstMappedRange, (WGPUBuffer, size_t, size_t))                                       \
    F(void, BufferUnmap, (WGPUBuffer))                                                                             \
    F(void, BufferDestroy, (WGPUBuffer))                                                                           \
    F(void, BufferRelease, (WGPUBuffer))

typedef struct webgpu {
    void *library;
#define F(result, name, parameters) result (*name) parameters;
    WGPU_FUNCTIONS(F)
#undef F
} webgpu;

#endif
