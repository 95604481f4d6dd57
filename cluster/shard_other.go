//go:build !linux

package cluster

import "errors"

// canShard is false where loopback is one address.
const canShard = false

// A shard does not exist here.
type shard struct{}

func newShard(*World) (*shard, error) { return nil, errors.New("cluster: no shards on this system") }

func (s *shard) add() (*Endpoint, error) { return nil, errors.New("cluster: no shards on this system") }
