/* out_file.h - a large file that appears under its name when it is complete, or not at all. */
#ifndef VOX_OUT_FILE_H
#define VOX_OUT_FILE_H

#include "base.h"

typedef struct vox_out_file {
    char *path, *part;        /* written as `part`, path + ".part", which one process holds at a time */
    int fd;
} vox_out_file;

/* VOX_ERR_ARGUMENT if something other than a file is there; VOX_ERR_STATE if another process is writing it; VOX_ERR_IO without room for `size` bytes. */
vox_status vox_out_open(vox_out_file *f, const char *path, uint64_t size, vox_error *err);
vox_status vox_out_write(vox_out_file *f, const void *data, size_t n, vox_error *err);
/* The file is there, on the disk, in place of any other of its name. */
vox_status vox_out_finish(vox_out_file *f, vox_error *err);
/* Frees everything; what was not finished is removed. Also of one zeroed or half opened. */
void vox_out_close(vox_out_file *f);

#endif
