/* shaders.h - the shaders' text, as shaders/embed.cmake puts it into the program. */
#ifndef VOX_GPU_SHADERS_H
#define VOX_GPU_SHADERS_H

typedef struct gpu_source {
    const char *name, *text;
} gpu_source;

extern const gpu_source gpu_sources[];   /* the last one's name is NULL */

#endif
