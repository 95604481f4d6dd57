// Package matcher is the trigger table of an infrastructure node: it finds, for
// the identifier of a packet, the targets that the packet goes to. It does not
// know what a target is, keeps no clock, checks no permission and sends nothing.
//
// # What matches
//
// A trigger is an identifier, a target and the tick at which it expires. A
// packet matches the triggers that agree with it in the first 192 bits. Among
// their identifiers, those without a live trigger left out, the winner is the
// one whose suffix exclusive-or the packet's suffix is smallest: the longest
// common prefix, with a tie-break that no two identifiers share (paper section
// 2.1, figure 3b). The packet goes to every live trigger of the winner, in the
// order of their insertion (figure 3a). With equal identifiers this is
// replication, with equal prefixes and keys it is anycast, and it is both when
// several triggers have the identifier that wins.
//
// # Expiry
//
// A trigger is live at tick now when its expire is greater than now. A trigger
// that is not live matches nothing and counts for nothing, however many of its
// kind the table still holds, so no result waits for a reclaim. It stays stored
// until [Table.Sweep] or [Table.Remove] takes it, or [Table.Insert] needs its
// place; a refresh that comes before that revives it. [Table.Len] and
// Config.MaxTriggers are about what is stored, Config.MaxPerID about what is
// live.
//
// Callers that count references to targets get each one back exactly once:
// every [Added] is followed by one Remove that returns true, one call of
// Sweep's function, or one call of Config.Reclaimed.
//
// # How it is stored
//
//	homes: 64 bytes each, one cache line
//	+------------+-----------------------------+-------------+------------+
//	| identifier | seq, count, depth, two tags | 2 triggers  | list, next |
//	+------------+-----------------------------+-------------+--|------|--+
//	                                    lines of 8 triggers <---+      |
//	    cells behind homes, in the same form, in lines of others <-----+
//
// A cell is one cache line and has all of an identifier with up to two triggers: a
// look-up that is lucky reads nothing else. The first 192 bits, hashed by SipHash-1-3
// under a secret, say which home that is. The first identifier of a home is in it, others
// stand behind it in a chain. The home has eight bits of the hash of the first two of
// these, its tags, so that a miss mostly ends there; and unless it has two triggers
// itself, it has the numbers of the second and third, so that a reader goes to the right
// one at once. There are 0.5 identifiers for each home until the homes are 128 MiB, and up
// to 0.6 then.
//
// So half of the homes have nobody. In tables that are not on the heap, a cell behind a home is a
// guest in the line of such a home in the same 4 KiB, where the second line of a look-up costs
// least and takes no memory; if there is none, it is in the pool. A guest makes way when somebody
// comes whose home it is.
//
// Identifiers that differ only in their suffix are a group, which has one cell in place of an
// identifier's, and in it the root of a trie over the suffixes: a node parts its members by one of
// 16 nibbles, and nodes with one branch are left out. Each branch has the latest expiry
// on it, so the search for the winner walks one path of at most 16 nodes and never
// turns back, even if all but one of a million members have expired.
//
// The table grows by one home at a time (Litwin, "Linear hashing", 1980): an
// insertion splits the next home in turn, of as many as there were, into itself and a new
// one at the end. No insertion waits for more than that.
//
// # Memory
//
// Arrays of more than 256 KiB are outside the heap, in reserved address space where they
// grow without moving, on huge pages where the system has them; the garbage collector does not
// see them. They do not shrink. An insertion that is the first to need a page waits for the system to clear it;
// [Table.Ahead], called beside, takes what is needed next. Nothing is ever kept beyond Config.MaxTriggers:
// an insertion that would is refused.
//
// # Readers and writers
//
// [Table.Match] and [Table.MatchBatch] take no lock and write nothing. A writer makes the seq of a
// home odd while it changes the home or what stands behind it, and gives it
// another value afterwards; a reader that sees an odd seq, or another at the end
// than at the beginning, looks again. Depth is the number of hash bits that led to
// the home: a reader that has counted homes before a split sees that it is at the wrong one.
// Memory is never given to another use, so what a reader sees in the meantime may be
// wrong, but is a cell. Who writes a guest makes the seq of the home odd in whose line that
// is, too. A refresh of a trigger outside a group is one store of a word, which disturbs
// nobody.
//
// Writers wait for each other; a batch takes the lock once for 256 triggers. Whoever needs
// writers side by side divides identifiers over several tables.
//
// # Batches
//
// A look-up in a large table waits for memory most of its time. [Table.MatchBatch], [Table.RefreshBatch] and
// [Table.InsertBatch] hash all identifiers of a batch first, ask for all their homes, then compare,
// so that these waits overlap. The loops are the kernels of package asm.
//
// Package naive is the same table written to be obviously right.
package matcher
