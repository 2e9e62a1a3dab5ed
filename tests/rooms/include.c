/*
 * Compiled in the place of a room by tests/rooms/CMakeLists.txt: includes MR_HEADER and says so.
 */
#include MR_HEADER

#pragma message "the header was found"
