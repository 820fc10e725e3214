/* process.h - clock and memory of this process */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

double process_seconds(void);     /* a clock that never jumps */
double process_memory_mb(void);   /* resident memory in 10^6 bytes; 0 when not known */

#endif
