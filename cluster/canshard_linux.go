package cluster

// canShard: Linux answers for all of 127.0.0.0/8, and tells destinations.
const canShard = true
