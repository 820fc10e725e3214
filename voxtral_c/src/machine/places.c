#include "places.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

enum { MOST_PATH = 4096 };

int vox_program_path(char *out, size_t size) {
#ifdef __APPLE__
    char raw[MOST_PATH];
    uint32_t n = sizeof raw;
    char *full = _NSGetExecutablePath(raw, &n) == 0 ? realpath(raw, NULL) : NULL;
    const int fits = full && strlen(full) < size;
    if (fits) strcpy(out, full);
    free(full);
    return fits;
#else
    const ssize_t n = readlink("/proc/self/exe", out, size);
    if (n <= 0 || (size_t)n >= size) return 0;
    out[n] = 0;
    return 1;
#endif
}

/* In a folder that packages lie in. */
static int in_packages(char *out, size_t size, const char *packages, const char *name) {
    return snprintf(out, size, "%s/%s", packages, name) < (int)size && access(out, R_OK) == 0;
}

static int in_lib(char *out, size_t size, const char *lib, const char *name) {
    char packages[MOST_PATH + 300];
    DIR *dir = opendir(lib);
    int found = 0;
    for (struct dirent *e; dir && !found && (e = readdir(dir));)
        if (!strncmp(e->d_name, "python3", 7)) {
            snprintf(packages, sizeof packages, "%s/%s/site-packages", lib, e->d_name);
            found = in_packages(out, size, packages, name);
        }
    if (dir) closedir(dir);
    return found;
}

static int in_environment(char *out, size_t size, const char *root, const char *name) {
    char lib[MOST_PATH + 16];
    if (!root || !*root) return 0;
    snprintf(lib, sizeof lib, "%.*s/lib", MOST_PATH, root);
    if (in_lib(out, size, lib, name)) return 1;
    snprintf(lib, sizeof lib, "%.*s/lib64", MOST_PATH, root);
    return in_lib(out, size, lib, name);
}

/* The program is voxtui/bin/voxtral in site-packages, or lies in a checkout: all folders above it are
 * looked at, and their .venv. */
int vox_find_in_packages(char *out, size_t size, const char *name) {
    char folder[MOST_PATH], venv[MOST_PATH + 8];
    const char *named = getenv("VOXTRAL_PACKAGES");
    if (named && *named && in_packages(out, size, named, name)) return 1;
    if (vox_program_path(folder, sizeof folder))
        for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
            *slash = 0;
            snprintf(venv, sizeof venv, "%s/.venv", folder);
            if (in_packages(out, size, folder, name) || in_environment(out, size, folder, name) || in_environment(out, size, venv, name)) return 1;
        }
    return in_environment(out, size, getenv("VIRTUAL_ENV"), name) || in_environment(out, size, getenv("CONDA_PREFIX"), name);
}
