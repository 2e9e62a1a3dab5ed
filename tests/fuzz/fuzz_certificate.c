/*
 * Certificates: whatever a file of TLS holds, its end is told or refused.
 */
#include <stdint.h>

#include "session/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mr_str pem = {(const char *)data, size};
	int64_t end = 0;

	(void)mr_pem_has_key(pem);
	(void)mr_pem_has_certificate(pem);
	(void)!mr_certificate_end(pem, &end);
	return 0;
}
