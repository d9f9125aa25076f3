// A group of tensor-parallel ranks, each a process of its own, that meet in shared memory.
//
// One page of header comes first: what rank 0 offered, and a counter for each rank on a cache line of its own. Then
// come the plan, which rank 0 writes and the others read, and two rounds of slots, one slot for each rank. A round is:
// every rank fills its slot, all meet, every rank reads all slots. Rounds alternate between the two sets, so that a
// rank can fill its next slot while a slower one still reads the last: one meeting for each exchange is enough.
//
// No wait is without a deadline, and a wait that fails tells which rank was missing.
#ifndef SRT_RANKS_COLLECTIVE_H
#define SRT_RANKS_COLLECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Most ranks of a group.
#define COLLECTIVE_RANKS 32
/// Numbers that rank 0 tells the others before anything else.
#define COLLECTIVE_TERMS 16

typedef struct collective collective;

/// Maps the header of the memory behind `descriptor`, at least a page of it, which must have been zero when the first
/// rank came. Null when it cannot be mapped or `ranks` is too large.
collective *collective_open(int descriptor, size_t rank, size_t ranks);
void collective_close(collective *g);

/// Rank 0 sizes the memory (`plan_bytes`, and `slot_floats` for each slot), writes the terms and lets the others in;
/// false when there is no such memory.
bool collective_offer(collective *g, const uint64_t *terms, size_t plan_bytes, size_t slot_floats);

/// The other ranks wait for the offer and map the memory; false after `nanoseconds`, or when it cannot be mapped.
bool collective_accept(collective *g, uint64_t *terms, int64_t nanoseconds);

/// Floats in a slot, as rank 0 offered.
size_t collective_slot_floats(const collective *g);

/// Where the plan is; as many bytes as rank 0 offered.
void *collective_plan(collective *g);

/// Rank 0 has written a plan; it may write the next one after the next meeting.
void collective_publish(collective *g);

/// The other ranks wait for the next plan: with `spins` briefly awake, then asleep; false after `nanoseconds`.
bool collective_await_plan(collective *g, bool spins, int64_t nanoseconds);

/// The slot of `rank` in the current round. Before the meeting only the own one may be touched, after it all may be
/// read.
float *collective_slot(collective *g, size_t rank);

/// Waits until every rank has come as often as this one; -1, or the number of the first rank that was missing after
/// `nanoseconds`. The slots stay those of this round until `collective_next_round`.
int collective_meet(collective *g, int64_t nanoseconds);

/// From here on `collective_slot` gives the other set of slots.
void collective_next_round(collective *g);

#endif
