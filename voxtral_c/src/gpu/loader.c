/* loader.c - wgpu-native, found at run time: in the place named, or in the Python environment that
 * this program belongs to. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/places.h"
#include "device.h"

#ifdef __APPLE__
#define LIBRARY "libwgpu_native-release.dylib"
#else
#define LIBRARY "libwgpu_native-release.so"
#endif

static const char advice[] = "pip install 'voxtui[gpu]' brings it, or VOXTRAL_WGPU names the file";

/* A data pointer is no function pointer in ISO C, but POSIX gives it the same form. */
static int find_all(webgpu *w) {
    int found = 1;
    void *symbol;
#define F(result, name, parameters)                                                            \
    symbol = dlsym(w->library, "wgpu" #name);                                                  \
    memcpy(&w->name, &symbol, sizeof symbol);                                                  \
    found &= symbol != NULL;
    WGPU_FUNCTIONS(F)
#undef F
    return found;
}

int webgpu_find(char *out, size_t size) {
    const char *named = getenv("VOXTRAL_WGPU");
    if (named && *named) return snprintf(out, size, "%s", named) < (int)size;
    return vox_find_in_packages(out, size, "wgpu/resources/" LIBRARY);
}

vox_status webgpu_load(webgpu *w, const char *path, vox_error *err) {
    char found[WEBGPU_PATH];
    memset(w, 0, sizeof *w);
    if (!path || !*path) {
        if (!webgpu_find(found, sizeof found))
            return vox_fail(err, VOX_ERR_UNSUPPORTED, "The GPU needs the library wgpu-native: %s.", advice);
        path = found;
    }
    w->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!w->library) {
        const char *why = dlerror();
        return vox_fail(err, VOX_ERR_UNSUPPORTED, "The GPU's library cannot be loaded: %s; %s.", why ? why : path, advice);
    }
    const int whole = find_all(w);
    const unsigned version = w->GetVersion ? w->GetVersion() >> 24 : 0;
    if (whole && version == WGPU_MAJOR) return VOX_OK;
    webgpu_unload(w);
    if (!version) return vox_fail(err, VOX_ERR_UNSUPPORTED, "%s is not wgpu-native: %s.", path, advice);
    return vox_fail(err, VOX_ERR_UNSUPPORTED, "%s is version %u of wgpu-native; %d is needed: %s.", path, version, WGPU_MAJOR, advice);
}

/* The library starts threads of its own and must not go away under them: it stays loaded. */
void webgpu_unload(webgpu *w) { memset(w, 0, sizeof *w); }
