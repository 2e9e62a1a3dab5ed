/*
 * A glance: what the branch held when it was last read, recognised by the files of both
 * repositories' references alone.
 *
 * Most runs find nothing new. They are then spared to start libgit2, which reads all certificates
 * of the machine, and to open the mirror.
 */
#ifndef MR_SOURCE_GLANCE_H
#define MR_SOURCE_GLANCE_H

#include "source/git.h"

/* Whether the references of a remote on this machine and of the mirror are as when a glance was
 * kept; then repo->glance is filled. Never for a wary one. Else what they are like now is noted in
 * repo, for mr_glance_keep. */
bool mr_glance_look(struct mr_repo *repo);
/* Keeps the tree of this commit when that is the branch's, the remote was found to hold nothing new
 * and nothing has moved since mr_glance_look. Failing is fine. */
void mr_glance_keep(
        struct mr_repo *repo, mr_str commit, mr_str subpath, const struct mr_tree *tree);
/* The list of files as kept. False when it is of another commit or folder. */
bool mr_glance_list(
        const struct mr_repo *repo, mr_str commit, mr_str subpath, struct mr_tree *tree);

#endif
