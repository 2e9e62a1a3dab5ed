/*
 * Help, shell completion and the manual page, all written from the tables of verbs.h.
 */
#ifndef AGENT_HELP_H
#define AGENT_HELP_H

#include <stdio.h>

#include "verbs.h"

void help_program(FILE *out);
void help_verb(FILE *out, const struct verb *verb);
void complete_bash(FILE *out);
void complete_zsh(FILE *out);
void complete_fish(FILE *out);
/* mailreeve(1) in the man macros. */
void write_man_page(FILE *out);

#endif
