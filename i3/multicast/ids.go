package multicast

import (
	"encoding/binary"

	"github.com/minio/highwayhash"

	"i3bench/i3"
)

// The paper's well-known hash functions. They need not be one-way, only spread
// and differ: who knows an identifier may compute what is derived from it. Each
// is HighwayHash under a public key of its own.
var (
	keyRoot   = hashKey("i3bench root")
	keyJoin   = hashKey("i3bench jHash")
	keyFull   = hashKey("i3bench fHash")
	keyRepair = hashKey("i3bench Hr")
)

func hashKey(name string) [32]byte {
	var k [32]byte
	copy(k[:], name)
	return k
}

// derive returns the identifier that a hash function makes of id. It keeps the
// prefix, so that sets and repair groups live on the node of the identifier they
// belong to: with a plain hash a query or repair takes a detour over a random
// node, which the paper does not mention and which doubles the median repair
// time. The result is private, for a public one would admit no host.
func derive(key *[32]byte, id i3.ID, suffix uint64) i3.ID {
	b := id.Bytes()
	return i3.NewID(id.Prefix(), i3.Key(highwayhash.Sum128(b[:], key[:])), suffix).Private()
}

// RootOf returns the identifier above the group's: the source is its only child.
func RootOf(idg i3.ID) i3.ID { return derive(&keyRoot, idg, 0) }

// JoinSet returns the identifier of the joinable children of id: jHash in
// section 3.2 of the paper.
func JoinSet(id i3.ID) i3.ID { return derive(&keyJoin, id, 0) }

// FullSet returns the identifier of the full children of id: fHash in section
// 3.2 of the paper.
func FullSet(id i3.ID) i3.ID { return derive(&keyFull, id, 0) }

// RepairGroup returns the identifier of the repair group of the children of id
// with the given suffix: Hr in section 5 of the paper.
func RepairGroup(id i3.ID, suffix uint64) i3.ID { return derive(&keyRepair, id, suffix) }

// spread returns the suffix that spreads requests for different packets over
// the members of a repair group (rel-random in section 5).
func spread(seq uint64) uint64 {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], seq)
	return highwayhash.Sum64(b[:], keyRepair[:])
}
