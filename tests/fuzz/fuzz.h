/*
 * A fuzz target: what is promised for any bytes. Built by clang with MR_FUZZ it looks for bytes
 * that break the promise; built with replay.c it is a test of all bytes that ever did, and of
 * samples.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise: the fuzzer keeps the input and stops. */
#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#endif
