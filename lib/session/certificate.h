/*
 * What a PEM file holds, and until when its first certificate is good (RFC 7468, RFC 5280). A
 * glance for a warning, no check of trust.
 */
#ifndef MR_SESSION_CERTIFICATE_H
#define MR_SESSION_CERTIFICATE_H

#include "base/arena.h"
#include "base/error.h"

#include <stdint.h>

bool mr_pem_has_certificate(mr_str pem);
bool mr_pem_has_key(mr_str pem);
/* Seconds since 1970 of the first certificate's notAfter. MR_E_INVALID when it is not readable as
 * one. */
MR_CHECK int mr_certificate_end(mr_str pem, int64_t *out_seconds);

#endif
