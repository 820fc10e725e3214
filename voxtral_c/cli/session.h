/* session.h - one run: a model, an input and an output brought together */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "options.h"

/* Transcribe as the options say; returns the exit code (exit_codes.h). interrupt_install must have
 * been called. */
int session_run(const options *opt);

#endif
