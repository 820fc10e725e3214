/* loader.c - wgpu-native, found at run time: in the place named, or beside the Python environment
 * that this program belongs to. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#define LIBRARY "libwgpu_native-release.dylib"
#else
#define LIBRARY "libwgpu_native-release.so"
#endif

#include <dirent.h>

#include "device.h"

enum { MOST_PATH = 4096 };

/* Where this program lies. */
static int program_folder(char *path, size_t size) {
#ifdef __APPLE__
    char raw[MOST_PATH];
    uint32_t n = sizeof raw;
    char full[MOST_PATH];
    if (_NSGetExecutablePath(raw, &n) != 0 || !realpath(raw, full) || strlen(full) >= size) return 0;
    strcpy(path, full);
#else
    const ssize_t n = readlink("/proc/self/exe", path, size - 1);
    if (n <= 0) return 0;
    path[n] = 0;
#endif
    char *slash = strrchr(path, '/');
    if (slash) *slash = 0;
    return slash != NULL;
}

static int readable(const char *path) { return access(path, R_OK) == 0; }

/* In an environment's lib/python3.*, or a folder that packages lie in. */
static int in_packages(char *out, size_t size, const char *packages) {
    return snprintf(out, size, "%s/wgpu/resources/" LIBRARY, packages) < (int)size && readable(out);
}

static int in_environment(char *out, size_t size, const char *root) {
    char lib[MOST_PATH], packages[MOST_PATH + 300];
    snprintf(lib, sizeof lib, "%s/lib", root);
    DIR *dir = opendir(lib);
    int found = 0;
    for (struct dirent *e; dir && !found && (e = readdir(dir));)
        if (!strncmp(e->d_name, "python3", 7)) {
            snprintf(packages, sizeof packages, "%s/%s/site-packages", lib, e->d_name);
            found = in_packages(out, size, packages);
        }
    if (dir) closedir(dir);
    return found;
}

/* The command is voxtui/bin/voxtral in site-packages, or lies in the checkout: all folders above it
 * are looked at, and their .venv. */
static int find_library(char *out, size_t size) {
    char folder[MOST_PATH], venv[MOST_PATH + 8];
    const char *environment = getenv("VIRTUAL_ENV");
    if (program_folder(folder, sizeof folder))
        for (char *slash; (slash = strrchr(folder, '/')) != NULL; *slash = 0) {
            snprintf(venv, sizeof venv, "%s/.venv", folder);
            if (in_packages(out, size, folder) || in_environment(out, size, folder) || in_environment(out, size, venv)) return 1;
        }
    return environment && *environment && in_environment(out, size, environment);
}

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

vox_status webgpu_load(webgpu *w, const char *path, vox_error *err) {
    char found[MOST_PATH + 400];
    memset(w, 0, sizeof *w);
    if (!path || !*path) path = getenv("VOXTRAL_WGPU");
    if (!path || !*path) {
        if (!find_library(found, sizeof found))
            return vox_fail(err, VOX_ERR_UNSUPPORTED, "The GPU needs the library wgpu-native: %s.", advice);
        path = found;
    }
    w->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!w->library) return vox_fail(err, VOX_ERR_UNSUPPORTED, "%s cannot be loaded: %s.", path, dlerror());
    if (find_all(w) && w->GetVersion() >> 24 == WGPU_MAJOR) return VOX_OK;
    const unsigned version = w->GetVersion ? w->GetVersion() >> 24 : 0;
    webgpu_unload(w);
    return vox_fail(err, VOX_ERR_UNSUPPORTED, "%s is version %u of wgpu-native; %d is needed: %s.", path, version, WGPU_MAJOR, advice);
}

/* The library starts threads of its own and must not go away under them: it stays loaded. */
void webgpu_unload(webgpu *w) { memset(w, 0, sizeof *w); }
