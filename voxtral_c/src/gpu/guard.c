#include "guard.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Thread_local sigjmp_buf back;
static _Thread_local volatile sig_atomic_t armed;

static void on_abort(int number) {
    if (armed) {
        armed = 0;
        siglongjmp(back, 1);
    }
    signal(number, SIG_DFL);  /* somebody else's */
    raise(number);
}

static void install(void) {
    static atomic_flag done = ATOMIC_FLAG_INIT;
    struct sigaction action = { .sa_handler = on_abort, .sa_flags = SA_NODEFER };   /* the jump leaves it unblocked */
    if (atomic_flag_test_and_set(&done)) return;
    sigemptyset(&action.sa_mask);
    sigaction(SIGABRT, &action, NULL);
}

int gpu_guarded(void (*call)(void *user), void *user) {
    install();
    if (sigsetjmp(back, 0) != 0) return 0;
    armed = 1;
    call(user);
    armed = 0;
    return 1;
}

/* ---- crashes ---------------------------------------------------------------------------- */

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };
enum { N_CRASHES = sizeof crashes / sizeof *crashes };
static struct sigaction before[N_CRASHES];
static char note_path[4096], note[512];

/* What it was before deals with the crash itself. */
static void on_crash(int number) {
    const int file = open(note_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file >= 0) {
        const ssize_t written = write(file, note, strlen(note));
        (void)written;
        close(file);
    }
    for (int i = 0; i < N_CRASHES; i++) sigaction(crashes[i], &before[i], NULL);
    raise(number);
}

void gpu_guard_crash(const char *path, const char *text) {
    static int installed;
    struct sigaction action = { .sa_handler = on_crash };
    sigemptyset(&action.sa_mask);
    if (!path || strlen(path) >= sizeof note_path) {
        for (int i = 0; installed && i < N_CRASHES; i++) sigaction(crashes[i], &before[i], NULL);
        installed = 0;
        return;
    }
    snprintf(note_path, sizeof note_path, "%s", path);
    snprintf(note, sizeof note, "%s", text);
    for (int i = 0; !installed && i < N_CRASHES; i++) sigaction(crashes[i], &action, &before[i]);
    installed = 1;
}
