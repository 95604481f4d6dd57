package asm

// A Shape is the number of homes of a table that grows by splitting one home at a
// time (Litwin, "Linear hashing", 1980): 1<<Level of them, of which the first Split
// have been split into themselves and one at the end.
type Shape struct {
	Level uint8
	Split uint32
}

// maxLevel is the highest level of which a [Place] has the bits for every home.
const maxLevel = 31

// Homes returns the number of homes.
func (s Shape) Homes() int { return 1<<s.Level + int(s.Split) }

// A Place is where the search for a hash begins, as one word: the number of the home
// in bits 0 to 31, the depth that it must have at DepthShift, and the tag of the
// hash at TagAShift and again at TagBShift, as in a [Cell]'s Meta.
type Place uint64

// Home returns the number of the home.
func (p Place) Home() uint32 { return uint32(p) }

// Tag returns the tag of the hash, 1 to 255.
func (p Place) Tag() uint8 { return uint8(p >> TagAShift) }

// Place returns where the search for a hash begins. The lowest bits of the hash
// say where, the highest are the tag, of which 0 is counted as 1.
func (s Shape) Place(hash uint64) Place {
	size, split := uint64(1)<<(s.Level&63), uint64(s.Split)
	home := hash & (size - 1)
	more := uint64(int64(home-split)>>63) & 1 // it has been split: one more bit counts (a branch would be a guess)
	home |= hash & (more << (s.Level & 63))
	tag := hash >> 56
	tag += (tag - 1) >> 63
	return Place(home | (uint64(s.Level)+more)<<DepthShift | tag<<TagAShift | tag<<TagBShift)
}

// Locate finds the place of each hash and asks for the cache line of each home.
// places must be as long as hashes, and homes must have as many as the shape.
func Locate(places []Place, hashes []uint64, homes []Cell, shape Shape) {
	if shape.Level > maxLevel || uint64(shape.Split) > 1<<shape.Level {
		panic("asm: Locate: no table has this shape")
	}
	if len(places) != len(hashes) || len(homes) < shape.Homes() {
		panic("asm: Locate: places or homes do not fit")
	}
	if len(hashes) > 0 {
		locate(places, hashes, homes, shape)
	}
}

func locatePortable(places []Place, hashes []uint64, homes []Cell, shape Shape) {
	for i, h := range hashes {
		places[i] = shape.Place(h)
	}
	read(places, homes)
}

// read reads a word of each home. The loads do not depend on each other, so that
// as many misses are under way as a processor can have.
//
// It is not inlined because the compiler would then see that nobody uses the sum
// and drop the loads.
//
//go:noinline
func read(places []Place, homes []Cell) (sum uint64) {
	for _, p := range places {
		sum += Load(&homes[p.Home()][Meta])
	}
	return sum
}
