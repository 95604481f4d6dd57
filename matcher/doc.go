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
//	index: open addressing, 8-byte slots          cells: 64 bytes, one cache line
//	+-------+-------+                             +------------+-----------+-----+---+
//	| tag   | ref   |---- one identifier -------->| identifier | 3 triggers| ext | n |
//	+-------+-------+                             +------------+-----------+--+--+---+
//	| tag   | ref   |---- several ---> trie             ^                     |
//	+-------+-------+              of suffixes ---------+      slab: runs of  v 8, 16, ...
//
// The index maps the first 192 bits, hashed by SipHash-1-3 under a secret, to
// the only identifier with these bits or to a binary trie over the suffixes of
// all of them. A trie node stores for either side the latest expiry below it,
// so the search for the winner walks one path of at most 64 nodes and never
// turns back, even if all but one of a hundred thousand members have expired.
// Nothing in the table is a Go pointer per trigger: the garbage collector sees a
// handful of arrays.
//
// Cells, trie nodes and runs live in arrays with free lists, whose
// layout depends on the sequence of operations alone. The secret only decides
// where the index keeps a reference. So no result and no order of iteration
// depends on Config.Seed.
//
// # Limits
//
// A Table belongs to one goroutine, the shard of a node, and takes no locks.
// Batches exist so that the misses of many look-ups overlap; the portable code
// gets this from passes that touch memory before it is needed. Kernels in
// assembly will stand behind the same methods, with cells that readers of other
// goroutines may check; until then share nothing. The arrays double when full,
// which stalls the call that does it, and do not shrink.
//
// Package naive is the same table written to be obviously right.
package matcher
