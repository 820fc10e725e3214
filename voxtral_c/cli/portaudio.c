/* portaudio.c - PortAudio, found at run time */
#include "portaudio.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/machine/places.h"

/* The wheels of sounddevice for macOS carry the library; on Linux it is the system's. */
#define IN_WHEEL "_sounddevice_data/portaudio-binaries/"

#ifdef __APPLE__
static const char in_wheel[] = IN_WHEEL "libportaudio.dylib";
static const char *const candidates[] = {
    "libportaudio.2.dylib", "libportaudio.dylib", "/opt/homebrew/lib/libportaudio.2.dylib",
    "/usr/local/lib/libportaudio.2.dylib", "/opt/local/lib/libportaudio.2.dylib",
};
static const char advice[] = "install it with 'pip install sounddevice' or 'brew install portaudio'";
#else
static const char in_wheel[] = IN_WHEEL "libportaudio.so";
static const char *const candidates[] = {
    "libportaudio.so.2", "libportaudio.so", "/home/linuxbrew/.linuxbrew/lib/libportaudio.so.2",
};
static const char advice[] = "install it with 'apt install libportaudio2' (Debian, Ubuntu), "
                             "'dnf install portaudio' (Fedora) or 'pacman -S portaudio' (Arch)";
#endif

int portaudio_mute_stderr(void) {
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (saved >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0) close(nowhere);
    return saved;
}

void portaudio_unmute_stderr(int saved) {
    if (saved < 0) return;
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void *load_library(char *err, size_t err_size) {
    char path[4608];
    const char *chosen = getenv("VOXTRAL_PORTAUDIO");
    if (chosen && *chosen) {
        void *library = dlopen(chosen, RTLD_NOW | RTLD_LOCAL);
        if (!library)
            snprintf(err, err_size, "VOXTRAL_PORTAUDIO names %s, which cannot be loaded.", chosen);
        return library;
    }
    if (vox_find_in_packages(path, sizeof path, in_wheel)) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (library) return library;
    }
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        void *library = dlopen(candidates[i], RTLD_NOW | RTLD_LOCAL);
        if (library) return library;
    }
    snprintf(err, err_size, "The microphone needs the PortAudio library: %s.", advice);
    return NULL;
}

/* A data pointer is no function pointer in ISO C, but POSIX gives it the same form. */
static int find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static int find_all(portaudio *pa) {
    void *lib = pa->library;
    return find(lib, "Pa_Initialize", &pa->initialize) &
           find(lib, "Pa_Terminate", &pa->terminate) &
           find(lib, "Pa_GetErrorText", &pa->error_text) &
           find(lib, "Pa_GetDeviceCount", &pa->device_count) &
           find(lib, "Pa_GetDefaultInputDevice", &pa->default_input) &
           find(lib, "Pa_GetDeviceInfo", &pa->device_info) &
           find(lib, "Pa_GetHostApiInfo", &pa->host_api_info) &
           find(lib, "Pa_OpenStream", &pa->open_stream) &
           find(lib, "Pa_StartStream", &pa->start_stream) &
           find(lib, "Pa_AbortStream", &pa->abort_stream) &
           find(lib, "Pa_CloseStream", &pa->close_stream) &
           find(lib, "Pa_IsStreamActive", &pa->is_active);
}

int portaudio_open(portaudio *pa, int verbose, char *err, size_t err_size) {
    memset(pa, 0, sizeof *pa);
    pa->library = load_library(err, err_size);
    if (!pa->library) return 0;
    if (!find_all(pa)) {
        snprintf(err, err_size, "The PortAudio library that was found is not version 19: %s.", advice);
        portaudio_close(pa);
        return 0;
    }
    int saved = verbose ? -1 : portaudio_mute_stderr();
    int status = pa->initialize();
    portaudio_unmute_stderr(saved);
    if (status != PA_NO_ERROR) {
        snprintf(err, err_size, "The sound system cannot be used: %s.", pa->error_text(status));
        portaudio_close(pa);
        return 0;
    }
    pa->initialized = 1;
    return 1;
}

void portaudio_close(portaudio *pa) {
    if (pa->initialized) pa->terminate();
    if (pa->library) dlclose(pa->library);
    memset(pa, 0, sizeof *pa);
}
