#define _DEFAULT_SOURCE       /* flock */
#define _DARWIN_C_SOURCE
#include "out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static vox_status failed(const vox_out_file *f, vox_error *err) {
    return vox_fail(err, VOX_ERR_IO, "%s cannot be written: %s.", f->path, strerror(errno));
}

/* Open and lock `part`; the process that held it may have renamed it meanwhile. */
static vox_status lock(vox_out_file *f, vox_error *err) {
    for (;;) {
        struct stat mine, named;
        f->fd = open(f->part, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (f->fd < 0) return failed(f, err);
        if (flock(f->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
            close(f->fd);
            f->fd = -1;
            return vox_fail(err, VOX_ERR_STATE, "%s is being written by another process; wait until that has ended.", f->path);
        }
        if (fstat(f->fd, &mine) == 0 && stat(f->part, &named) == 0 && mine.st_ino == named.st_ino && mine.st_dev == named.st_dev)
            return VOX_OK;
        close(f->fd);
        f->fd = -1;
    }
}

static vox_status check_room(const vox_out_file *f, uint64_t size, vox_error *err) {
    struct statvfs disk;
    if (fstatvfs(f->fd, &disk) != 0) return VOX_OK;
    const double room = (double)disk.f_bavail * (double)disk.f_frsize;
    if (room >= (double)size) return VOX_OK;
    return vox_fail(err, VOX_ERR_IO, "%s needs %.2f GB but only %.2f GB are free there; make room or choose another place.",
                    f->path, (double)size / 1e9, room / 1e9);
}

vox_status vox_out_open(vox_out_file *f, const char *path, uint64_t size, vox_error *err) {
    const size_t n = strlen(path) + 6;
    struct stat there;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return vox_fail(err, VOX_ERR_ARGUMENT, "%s is not a file, so it stays; name another one.", path);
    *f = (vox_out_file){ vox_copy_text(path), vox_alloc(n, 1), -1 };
    vox_status status = f->path && f->part ? VOX_OK : vox_fail(err, VOX_ERR_MEMORY, "There is no memory to write %s.", path);
    if (status == VOX_OK) snprintf(f->part, n, "%s.part", path);
    if (status == VOX_OK) status = lock(f, err);
    if (status == VOX_OK && ftruncate(f->fd, 0) != 0) status = failed(f, err);
    if (status == VOX_OK) status = check_room(f, size, err);
    if (status != VOX_OK) vox_out_close(f);
    return status;
}

vox_status vox_out_write(vox_out_file *f, const void *data, size_t n, vox_error *err) {
    const uint8_t *at = data;
    while (n > 0) {
        const ssize_t done = write(f->fd, at, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return failed(f, err);
        at += done;
        n -= (size_t)done;
    }
    return VOX_OK;
}

vox_status vox_out_finish(vox_out_file *f, vox_error *err) {
    if ((fsync(f->fd) != 0 && errno != EINVAL && errno != ENOTSUP) || rename(f->part, f->path) != 0) return failed(f, err);
    close(f->fd);             /* unlocks it, too */
    f->fd = -1;
    return VOX_OK;
}

void vox_out_close(vox_out_file *f) {
    if (f->path && f->part && f->fd >= 0) {
        unlink(f->part);
        close(f->fd);
    }
    vox_free(f->path);
    vox_free(f->part);
    *f = (vox_out_file){ NULL, NULL, -1 };
}
