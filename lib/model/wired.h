/*
 * Parameters of Postfix that mailreeve sets itself, and the tables of the same names.
 */
#ifndef MR_MODEL_WIRED_H
#define MR_MODEL_WIRED_H

#include "base/str.h"

/* What the parameter follows from, in the language's words; NULL when it is not wired. */
const char *mr_wired_parameter(mr_str name);

#endif
