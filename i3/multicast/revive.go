package multicast

import (
	"github.com/minio/highwayhash"

	"i3bench/i3"
	"i3bench/i3/machine"
)

// A receiver that joins while the one above it leaves may find itself below a link that is no
// more: it saw another newcomer's link beside its own, which was taken back in the same moment.
// Nothing comes down the tree to it, so it inserts its parent's link anew, see
// [Receiver.housekeeping]. If the node then says that there was none, the place is no good: nobody
// owns the identifier above, and once its children have left its link would lead nowhere, and take
// a place, until it expires. So a link is revived with a secret, and such a newcomer takes it
// back and searches for another place. Whoever has been heard from is served by the link and
// keeps it, as after a node has lost its memory.

// keyRevive is the key of the hash that makes the secrets of revived links.
var keyRevive = hashKey("i3bench revive")

// reviver returns the secret that the parent's link is revived with. A refresh of a link that is
// there changes nothing about its owner.
func (r *Receiver) reviver() i3.Nonce { return i3.Nonce(highwayhash.Sum128(r.secret[:], keyRevive[:])) }

// revived handles the news that the i-th link was gone and is there again, and reports whether
// the receiver has left its place for that.
func (r *Receiver) revived(now machine.Time, i int, out *machine.Outbox) bool {
	if !r.doubts || i != len(r.chain)-2 {
		return false
	}
	r.host.Remove(now, r.link(i), r.reviver(), out)
	r.rejoin(now, out)
	return true
}
