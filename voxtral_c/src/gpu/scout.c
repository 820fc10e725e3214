#include "scout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

#include "weights/cache.h"
#include "guard.h"
#include "resident.h"
#include "verdict.h"

#define PATIENCE_MS 60000.0

extern char **environ;

/* ---- what the answer depends on ---------------------------------------------------------- */

static uint64_t mix_file(uint64_t h, const char *path) {
    struct stat info;
    char text[80] = "-";
    if (stat(path, &info) == 0) snprintf(text, sizeof text, "%lld %lld", (long long)info.st_mtime, (long long)info.st_size);
    return gpu_mix(h, text);
}

static void this_start(char *out, size_t size) {
    out[0] = 0;
#ifdef __APPLE__
    size_t n = size;
    if (sysctlbyname("kern.bootsessionuuid", out, &n, NULL, 0) != 0) out[0] = 0;
#else
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (f && !fgets(out, (int)size, f)) out[0] = 0;
    if (f) fclose(f);
#endif
}

/* This start of the machine, the library, the shaders, the drivers' folders and devices, and what the
 * environment tells them. */
static uint64_t circumstances(void) {
    static const char *const files[] = { "/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/dev/dri",
                                         "/dev/nvidiactl", "/dev/dxg" };
    static const char *const prefixes[] = { "VK_", "MESA_", "DRI_", "LD_", "LIBGL_", "METAL_", "VOXTRAL_GPU_" };
    char text[WEBGPU_PATH] = "";
    this_start(text, sizeof text);
    uint64_t h = gpu_mix_shaders(gpu_mix(GPU_HASH, text));
    if (webgpu_find(text, sizeof text)) h = mix_file(gpu_mix(h, text), text);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) h = mix_file(h, files[i]);
    for (char **e = environ; *e; e++)
        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
            if (!strncmp(*e, prefixes[i], strlen(prefixes[i]))) h = gpu_mix(h, *e);
    return h;
}

/* ---- what is remembered: the circumstances, a letter, a sentence -------------------------- */

enum { GOOD = 'g', NONE = 'n', FAILED = 'f', CRASHED = 'c' };

static char *memory_path(const char *folder) { return vox_path(folder, "gpu-scout.txt"); }

static void remember(const char *path, const char *folder, char letter, const char *why) {
    FILE *f = path && vox_cache_make(folder, NULL) == VOX_OK ? fopen(path, "w") : NULL;
    if (!f) return;
    fprintf(f, "%016" PRIx64 " %c %s\n", circumstances(), letter, why);
    fclose(f);
}

/* The letter, 0 if nothing that still holds is remembered. */
static char recall(const char *path, char *why, size_t size) {
    char line[600], now[32];
    FILE *f = path ? fopen(path, "r") : NULL;
    const int n = snprintf(now, sizeof now, "%016" PRIx64 " ", circumstances());
    const int read = f && fgets(line, sizeof line, f) && !strncmp(line, now, (size_t)n) && strlen(line) > (size_t)n + 1;
    if (f) fclose(f);
    if (!read) return 0;
    line[strcspn(line, "\n")] = 0;
    snprintf(why, size, "%s", line + n + 2);
    return line[n];
}

void gpu_scout_at_work(const char *folder, const char *name) {
    char note[512];
    char *path = vox_cache_make(folder, NULL) == VOX_OK ? memory_path(folder) : NULL;
    snprintf(note, sizeof note, "%016" PRIx64 " %c The driver of %s crashed at its work.\n", circumstances(), CRASHED, name);
    if (path) gpu_guard_crash(path, note);
    vox_free(path);
}

/* ---- the process ------------------------------------------------------------------------- */

/* With nothing to read and its answer in a pipe. Returns its number, 0 if it cannot be started. */
static pid_t start(const char *program, const char *folder, uint32_t need, int answer[2]) {
    char number[16];
    char *const arguments[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)"--gpu-scout", (char *)(uintptr_t)folder, number, NULL };
    snprintf(number, sizeof number, "%" PRIu32, need);
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    if (pipe(answer) != 0) return 0;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, answer[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&files, answer[0]);
    const int failed = posix_spawn(&pid, program, &files, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    close(answer[1]);
    fcntl(answer[0], F_SETFL, O_NONBLOCK);                  /* whoever else has got the other end */
    if (failed) close(answer[0]);
    return failed ? 0 : pid;
}

static double patience(void) {
    const double asked = vox_gpu_options().deadline_ms;
    return asked > 0 ? asked : PATIENCE_MS;
}

/* Its status as of waitpid, -1 if it did not end in time and was killed, -2 if that cannot be told. */
static int end_of(pid_t pid) {
    const double start = vox_now_ms();
    for (int status;;) {
        const pid_t ended = waitpid(pid, &status, WNOHANG);
        if (ended == pid) return status;
        if (ended < 0 && errno != EINTR) return -2;
        if (vox_now_ms() - start > patience()) break;
        nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return -1;
}

static int is_a_crash(int number) {
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE || number == SIGABRT;
}

/* The letter; 0 if nothing can be concluded. */
static char ask(const char *program, const char *folder, uint32_t need, char *why, size_t size) {
    int answer[2];
    const pid_t pid = start(program, folder, need, answer);
    if (!pid) return 0;
    const int status = end_of(pid);
    const ssize_t n = read(answer[0], why, size - 1);       /* one sentence: it fits into the pipe */
    why[n > 0 ? n : 0] = 0;
    why[strcspn(why, "\n")] = 0;
    close(answer[0]);
    if (status == -1) {
        snprintf(why, size, "The GPU's driver did not answer within %.0f s.", patience() / 1000);
        return FAILED;
    }
    if (status >= 0 && WIFSIGNALED(status) && is_a_crash(WTERMSIG(status))) {
        snprintf(why, size, "The GPU's driver crashed when it was tried (signal %d).", WTERMSIG(status));
        return FAILED;
    }
    if (status < 0 || !WIFEXITED(status) || (WEXITSTATUS(status) && !*why)) return 0;
    return WEXITSTATUS(status) == 0 ? GOOD : WEXITSTATUS(status) == VOX_ERR_DEVICE ? FAILED : NONE;
}

void gpu_scout_remembered(const char *folder, char *why, size_t size) {
    char *path = memory_path(folder);
    const char letter = recall(path, why, size);
    if (letter != FAILED && letter != CRASHED) why[0] = 0;
    vox_free(path);
}

int gpu_scout_crashed(const char *folder, vox_error *err) {
    char why[512] = "", *path = memory_path(folder);
    const int crashed = recall(path, why, sizeof why) == CRASHED;
    if (crashed) {
        remember(path, folder, FAILED, why);
        vox_fail(err, VOX_ERR_DEVICE, "%s", why);
    }
    vox_free(path);
    return crashed;
}

vox_status gpu_scout_ask(const char *program, const char *folder, uint32_t need, int *news, vox_error *err) {
    char why[512] = "", library[WEBGPU_PATH];
    *news = 0;
    if (!webgpu_find(library, sizeof library)) return VOX_OK;         /* that is soon seen */
    char *path = memory_path(folder);
    char letter = recall(path, why, sizeof why);
    *news = !letter;
    if (!letter) letter = ask(program, folder, need, why, sizeof why);
    if (*news && letter) remember(path, folder, letter, why);
    vox_free(path);
    if (!letter || letter == GOOD) return VOX_OK;
    return vox_fail(err, letter == NONE ? VOX_ERR_UNSUPPORTED : VOX_ERR_DEVICE, "%s", why);
}
