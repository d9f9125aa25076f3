// A group of tensor-parallel ranks, each a process of its own, that meet in shared memory.
//
// One page of header comes first: what rank 0 offered, and a counter for each rank on a cache line of its own. Then
// come the plan, which rank 0 writes and the others read, and two rounds of slots, one slot for each rank. A round is:
// every rank fills its slot, all meet, every rank reads all slots. Rounds alternate between the two sets, so that a
// rank can fill its next slot while a slower one still reads the last: one meeting for each exchange is enough.
//
// No wait is without a deadline, and a wait that fails tells which rank was missing.
#ifndef SRT_COLLECTIVE_H
#define SRT_COLLECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Most ranks of a group.
#define KERNELS_GROUP_RANKS 32
/// Numbers that rank 0 tells the others before anything else.
#define KERNELS_GROUP_TERMS 16

typedef struct kernels_group kernels_group;

/// Maps the header of the memory behind `descriptor`, at least a page of it, which must have been zero when the first
/// rank came. Null when it cannot be mapped or `ranks` is too large.
kernels_group *kernels_group_open(int descriptor, size_t rank, size_t ranks);
void kernels_group_close(kernels_group *g);

/// Rank 0 sizes the memory (`plan_bytes`, and `slot_floats` for each slot), writes the terms and lets the others in;
/// false when there is no such memory.
bool kernels_group_offer(kernels_group *g, const uint64_t *terms, size_t plan_bytes, size_t slot_floats);

/// The other ranks wait for the offer and map the memory; false after `nanoseconds`, or when it cannot be mapped.
bool kernels_group_accept(kernels_group *g, uint64_t *terms, int64_t nanoseconds);

/// Floats in a slot, as rank 0 offered.
size_t kernels_group_slot_floats(const kernels_group *g);

/// Where the plan is; as many bytes as rank 0 offered.
void *kernels_group_plan(kernels_group *g);

/// Rank 0 has written a plan; it may write the next one after the next meeting.
void kernels_group_publish(kernels_group *g);

/// The other ranks wait for the next plan: with `spins` briefly awake, then asleep; false after `nanoseconds`.
bool kernels_group_await_plan(kernels_group *g, bool spins, int64_t nanoseconds);

/// The slot of `rank` in the current round. Before the meeting only the own one may be touched, after it all may be
/// read.
float *kernels_group_slot(kernels_group *g, size_t rank);

/// Waits until every rank has come as often as this one; -1, or the number of the first rank that was missing after
/// `nanoseconds`. The slots stay those of this round until `kernels_group_next_round`.
int kernels_group_meet(kernels_group *g, int64_t nanoseconds);

/// From here on `kernels_group_slot` gives the other set of slots.
void kernels_group_next_round(kernels_group *g);

#endif
