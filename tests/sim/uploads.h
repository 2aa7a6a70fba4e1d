/* SPDX-License-Identifier: EUPL-1.2
 *
 * Runs with large payloads alone: a sender that uploads and submits, a receiver that fetches and
 * acknowledges, a broker that crashes, lines that break, a disk that is full now and then. Judged
 * after every step:
 *   1. UploadState never says more than is synced.
 *   2. Accepted is said of a message whose payload is whole and synced, and of no other.
 *   3. What is fetched are the bytes that were sent, of that message, from that place.
 *   4. No more than the window is on its way to the disk.
 *   5. When the faults are over, everything is accepted, fetched whole and acknowledged.
 */
#ifndef RELAIS_TESTS_SIM_UPLOADS_H
#define RELAIS_TESTS_SIM_UPLOADS_H

#include <stdbool.h>
#include <stdint.h>

struct trace;

/* One run. Gives how many payloads went all the way. */
uint64_t uploads_run(uint64_t seed, bool loud, struct trace *out_trace);

#endif
