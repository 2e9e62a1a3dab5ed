/*
 * Text: UTF-8, host names, sizes, durations, dates, nearest names. Knows nothing of mail.
 */
#ifndef MR_BASE_TEXT_H
#define MR_BASE_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

/* Offset of the first byte that is not well-formed UTF-8 (RFC 3629), or s.size. */
size_t mr_utf8_check(mr_str s);
/* Offset of the first control character, U+0085, U+2028, U+2029, bidi control or zero-width
 * character that reviewers cannot see, or s.size. Line feed and tab pass when allows_lines. */
size_t mr_text_check(mr_str s, bool allows_lines);
/* A copy for terminals and logs: control characters, bidi controls and bad bytes as \xNN or \u{…}.
 */
void mr_text_harmless(mr_str s, struct mr_buf *out);
/* ASCII lower case. */
mr_str mr_text_lower(struct mr_arena *arena, mr_str s);
/* Unicode case folding (NFC afterwards) when non-ASCII, else ASCII lower case. MR_E_INVALID for bad
 * UTF-8. */
MR_CHECK int mr_text_fold(struct mr_arena *arena, mr_str s, mr_str *out);

/* A host name of at least min_labels labels as lower-case A-labels (IDNA2008). MR_E_INVALID and
 * *out_why (static text) for anything else: empty or long labels, underscore, wildcard, trailing
 * dot, IP address. */
MR_CHECK int mr_host_parse(struct mr_arena *arena, mr_str text, unsigned min_labels, mr_str *out,
        const char **out_why);

/* "512K" "20M" "5G" "1T" or bytes; powers of 1024. */
MR_CHECK int mr_size_parse(mr_str text, uint64_t *out_bytes);
void mr_size_format(uint64_t bytes, struct mr_buf *out);
/* "30s" "5m" "12h" "90d"; a bare number is refused. */
MR_CHECK int mr_duration_parse(mr_str text, uint64_t *out_seconds);
/* "2027-03-31" -> days since 1970-01-01. */
MR_CHECK int mr_date_parse(mr_str text, int64_t *out_days);
void mr_date_format(int64_t days, struct mr_buf *out);
/* RFC 3339 with its zone, seconds may be left out: "2026-11-28T06:00Z". */
MR_CHECK int mr_time_parse(mr_str text, int64_t *out_seconds);
/* "2026-11-22T13:00:00Z" */
void mr_time_format(int64_t seconds, struct mr_buf *out);
MR_CHECK int mr_number_parse(mr_str text, uint64_t limit, uint64_t *out);

/* Edit distance, capped: returns limit + 1 when larger. */
unsigned mr_text_distance(mr_str a, mr_str b, unsigned limit);
/* Sizes 0 to 4/3: RFC 4648 base64, strict. */
void mr_base64_encode(mr_str bytes, struct mr_buf *out);
MR_CHECK int mr_base64_decode(struct mr_arena *arena, mr_str text, mr_str *out);

#endif
