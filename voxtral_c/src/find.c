#define _POSIX_C_SOURCE 200809L
#include "find.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_gguf_name(const char *name) {
    const size_t n = strlen(name);
    return n > 5 && name[0] != '.' && !strcmp(name + n - 5, ".gguf");
}

static char *copy(const char *text) {
    char *p = vox_alloc(strlen(text) + 1, 1);
    if (p) memcpy(p, text, strlen(text) + 1);
    return p;
}

static vox_status no_memory(const char *path, vox_error *err) {
    return vox_fail(err, VOX_ERR_MEMORY, "There is no memory to load %s.", path);
}

vox_status vox_find_gguf(const char *path, char **file, vox_error *err) {
    struct stat info;
    vox_status status = VOX_OK;
    *file = NULL;
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) {
        *file = copy(path);
        return *file ? VOX_OK : no_memory(path, err);
    }
    char *params = vox_path(path, "params.json");
    if (!params) return no_memory(path, err);
    DIR *folder = access(params, F_OK) != 0 ? opendir(path) : NULL;
    vox_free(params);
    for (struct dirent *e; folder && status == VOX_OK && (e = readdir(folder)) != NULL;) {
        if (!is_gguf_name(e->d_name)) continue;
        if (*file) status = vox_fail(err, VOX_ERR_ARGUMENT, "%s holds several GGUF files; name the one to use.", path);
        else if (!(*file = vox_path(path, e->d_name))) status = no_memory(path, err);
    }
    if (folder) closedir(folder);
    if (status != VOX_OK) {
        vox_free(*file);
        *file = NULL;
    }
    return status;
}
