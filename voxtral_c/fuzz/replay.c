/* replay.c - give a fuzz target each file of the folders named, without libFuzzer */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static long replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t size = 0, capacity = 0;
    uint8_t *data = NULL;
    for (;;) {
        if (size == capacity) data = realloc(data, capacity = capacity * 2 + 65536);
        if (!data) abort();
        size_t n = fread(data + size, 1, capacity - size, file);
        if (n == 0) break;
        size += n;
    }
    fclose(file);
    uint8_t *exact = malloc(size ? size : 1);          /* so that a read past the end is seen */
    if (!exact) abort();
    for (size_t i = 0; i < size; i++) exact[i] = data[i];
    free(data);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

int main(int argc, char **argv) {
    long count = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        struct dirent *entry;
        while (folder && (entry = readdir(folder)) != NULL) {
            char path[4096];
            if (entry->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            count += replay_file(path);
        }
        if (folder) closedir(folder);
        else count += replay_file(argv[i]);
    }
    printf("%ld inputs\n", count);
    return count > 0 ? 0 : 1;
}
